// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { guestMounts, readBundle } from '../../src/spec/bundle.ts';
import type { Mount } from '../../src/spec/spec.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
const shm = join(folder, 'shm');
before(() => {
  mkdirSync(shm);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'shm', shm]);
});
after(() => execFileSync('umount', [shm]));

const bind = (destination: string, source: string, options: string[] = []): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', ...options],
});

test('a relative source of a bind mount lies in the bundle; other mounts are left alone', () => {
  const proc: Mount = { destination: '/proc', type: 'proc', source: 'proc', options: [] };
  const mounts = [bind('/a', 'data/../x'), bind('/b', '/abs'), proc];
  assert.deepEqual(guestMounts(mounts, '/bundle'), [bind('/a', '/bundle/x'), bind('/b', '/abs'), proc]);
});

test("an engine's /dev/shm becomes a tmpfs of the guest, of the same size", () => {
  const expected = (options: string[]): Mount => ({
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options,
  });
  const mounts = [bind('/dev/shm/', shm, ['rprivate', 'nosuid', 'noexec', 'nodev', 'rw'])];
  assert.deepEqual(guestMounts(mounts, '/'), [
    expected(['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=1048576']),
  ]);
  assert.deepEqual(guestMounts([bind('/dev/shm', shm, ['ro'])], '/'), [
    expected(['ro', 'mode=1777', 'size=1048576']),
  ]);
});

test('what else is bound to /dev/shm stays a bind mount, and so does a tmpfs elsewhere', () => {
  const mounts = [
    bind('/dev/shm', '/proc'),
    bind('/dev/shm', '/dev/shm'),
    bind('/dev/shm', '/no'),
    bind('/s', shm),
  ];
  assert.deepEqual(guestMounts(mounts, '/'), mounts);
});

test('a bundle that is a file', () => {
  throwsVxn(() => readBundle('/etc/passwd'), 'INVALID_BUNDLE', /^\/etc\/passwd\/config.json: ENOTDIR/);
});
