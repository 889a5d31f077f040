// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type CpioEntry, cpio } from '../../lab/cpio.ts';

interface Member {
  name: string;
  mode: number;
  links: number;
  device: [number, number];
  data: Buffer;
}

/** A reader of its own, straight from the format's description. */
function read(archive: Buffer): Member[] {
  const members: Member[] = [];
  const align = (n: number) => (n + 3) & ~3;
  for (let at = 0; ; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701');
    const field = (n: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + n * 8, at + 14 + n * 8), 16);
    const nameEnd = at + 110 + field(11);
    const name = archive.toString('utf8', at + 110, nameEnd - 1);
    if (name === 'TRAILER!!!') return members;
    const start = align(nameEnd);
    const data = archive.subarray(start, start + field(6));
    members.push({ name, mode: field(1), links: field(4), device: [field(9), field(10)], data });
    at = align(start + field(6));
  }
}

const ENTRIES: CpioEntry[] = [
  { type: 'directory', path: '/dev', mode: 0o755 },
  { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
  { type: 'file', path: 'init', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
  { type: 'file', path: 'é', mode: 0o4711, data: Buffer.alloc(0) },
  { type: 'symlink', path: 'sh', target: 'init' },
];

test('cpio writes every kind of entry as the format asks', () => {
  assert.deepEqual(read(cpio(ENTRIES)), [
    { name: 'dev', mode: 0o040755, links: 2, device: [0, 0], data: Buffer.alloc(0) },
    { name: 'dev/console', mode: 0o020600, links: 1, device: [5, 1], data: Buffer.alloc(0) },
    { name: 'init', mode: 0o100755, links: 1, device: [0, 0], data: Buffer.from('#!/bin/sh\n') },
    { name: 'é', mode: 0o104711, links: 1, device: [0, 0], data: Buffer.alloc(0) },
    { name: 'sh', mode: 0o120777, links: 1, device: [0, 0], data: Buffer.from('init') },
  ]);
});

test('cpio aligns names and contents of any length to four bytes', () => {
  for (let n = 1; n <= 9; n++) {
    const path = 'x'.repeat(n);
    const data = Buffer.alloc(10 - n, n);
    const archive = cpio([{ type: 'file', path, mode: 0o644, data }]);
    assert.equal(archive.length % 4, 0);
    assert.deepEqual(read(archive)[0]?.data, data);
  }
});

test('cpio gives every entry an inode of its own', () => {
  const archive = cpio(ENTRIES).toString('latin1');
  const inodes = [...archive.matchAll(/070701([0-9a-f]{8})/g)].map((match) => match[1]);
  assert.equal(new Set(inodes).size, ENTRIES.length + 1);
});

test('cpio is understood by busybox', (t) => {
  let listing: string;
  try {
    listing = execFileSync('busybox', ['cpio', '-t'], { input: cpio(ENTRIES), stdio: 'pipe' }).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return t.skip('no busybox on this machine');
    throw error;
  }
  assert.deepEqual(listing.trim().split('\n'), ['dev', 'dev/console', 'init', 'é', 'sh']);
});
