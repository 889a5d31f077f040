// SPDX-License-Identifier: MIT

/**
 * 64 bits of FNV-1a over UTF-16 code units, as 16 hex digits. It is no protection against an
 * enemy: whoever uses it stores and compares the text as well. The sum is kept in two halves,
 * because BigInt takes a hundred times as long.
 */
export function shortHash(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    // Times 2^40 + 0x1b3.
    const product = low * 0x1b3;
    high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + ((low << 8) >>> 0)) >>> 0;
    low = product >>> 0;
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}
