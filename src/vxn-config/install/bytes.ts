// SPDX-License-Identifier: MIT
// Turns files of others into texts that can be edited, and back. Every byte comes back, also bytes
// that are not UTF-8.
import { isUtf8 } from 'node:buffer';
import { asBytes } from '../tree.ts';

/** Bytes that are not UTF-8 become halves of surrogate pairs, U+DC80 to U+DCFF: UTF-8 has none. */
const STRAY = 0xdc00;

/** Bytes (as `present` gives them) as text. */
export function toText(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1');
  if (isUtf8(buffer)) return buffer.toString();
  let text = '';
  for (let i = 0; i < buffer.length; ) {
    const length = [1, 2, 3, 4].find((n) => i + n <= buffer.length && isUtf8(buffer.subarray(i, i + n)));
    text +=
      length === undefined
        ? String.fromCharCode(STRAY + (buffer[i] ?? 0))
        : buffer.toString('utf8', i, i + length);
    i += length ?? 1;
  }
  return text;
}

/** The bytes of a text that `toText` has made. */
export function toBytes(text: string): string {
  return text.replace(/[\udc80-\udcff]|[^\udc80-\udcff]+/gu, (part) =>
    /^[\udc80-\udcff]$/u.test(part) ? String.fromCharCode(part.charCodeAt(0) - STRAY) : asBytes(part),
  );
}
