// SPDX-License-Identifier: MIT

/**
 * True when text as a whole matches the pattern. `*` stands for any characters but `/`, `**` for
 * any characters, `?` for one character that is not `/`, and every other character for itself.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  const source = pattern.replace(/\*\*|[*?]|[\\^$.|+()[\]{}]/g, (part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${source}$`, 's').test(text);
}
