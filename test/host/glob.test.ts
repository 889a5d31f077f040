// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesGlob } from '../../src/host/glob.ts';

const CASES: [pattern: string, matches: string[], others: string[]][] = [
  ['memory', ['memory'], ['maxmemory', 'memory ', 'memor', '']],
  ['max*', ['maxmem', 'max'], ['amax', 'max/mem']],
  ['*', ['a', ''], ['a/b', '/']],
  ['/boot/vmlinu?-*', ['/boot/vmlinuz-6.1', '/boot/vmlinux-'], ['/boot/vmlinu/-', '/boot/vmlinuz-6/1']],
  [
    '/usr/share/vxn/**',
    ['/usr/share/vxn/a', '/usr/share/vxn/a/b.c'],
    ['/usr/share/vxn', '/usr/share/vxnx/a'],
  ],
  ['/a.b+(c)[d]{e}^$|\\', ['/a.b+(c)[d]{e}^$|\\'], ['/axb+(c)[d]{e}^$|\\']],
  ['/a', ['/a'], ['/a\n', '\n/a', '/a\n/b']],
];
for (const [pattern, matches, others] of CASES) {
  test(`glob ${pattern}`, () => {
    for (const text of matches) assert.equal(matchesGlob(text, pattern), true, text);
    for (const text of others) assert.equal(matchesGlob(text, pattern), false, text);
  });
}
