// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { guestMounts, readBundle } from '../../src/spec/bundle.ts';
import type { Mount } from '../../src/spec/spec.ts';
import { configJson } from '../fixtures/spec.ts';
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

/** A bundle whose config.json is made by make. */
function bundleWith(make: (config: string) => void): string {
  const bundle = temporaryFolder();
  mkdirSync(join(bundle, 'rootfs'));
  make(join(bundle, 'config.json'));
  return bundle;
}

test('config.json may be a link to a file', () => {
  const text = JSON.stringify(configJson());
  const bundle = bundleWith((config) => {
    writeFileSync(`${config}.real`, text);
    symlinkSync('config.json.real', config);
  });
  assert.equal(readBundle(bundle).text, text);
});

test('config.json of 16 MiB is read, one of a byte more is not', () => {
  const text = JSON.stringify(configJson());
  const bundle = bundleWith((config) => writeFileSync(config, text.padEnd(16 << 20)));
  assert.equal(readBundle(bundle).text.length, 16 << 20);
  truncateSync(join(bundle, 'config.json'), (16 << 20) + 1);
  throwsVxn(() => readBundle(bundle), 'INVALID_BUNDLE', 'config.json is larger than 16 MiB');
});

// It says that it is empty, and has more than 16 MiB to read.
const ENDLESS = '/proc/self/pagemap';
const NO_FILES: [name: string, make: (config: string) => void, text: string][] = [
  ['a link to /dev/null', (c) => symlinkSync('/dev/null', c), 'is not a regular file'],
  ['a FIFO', (c) => execFileSync('mkfifo', [c]), 'is not a regular file'],
  ['a folder', (c) => mkdirSync(c), 'is not a regular file'],
  ['a link to itself', (c) => symlinkSync('config.json', c), 'ELOOP'],
  ['a file without an end', (c) => symlinkSync(ENDLESS, c), 'is larger than 16 MiB'],
];
for (const [name, make, text] of NO_FILES) {
  test(`config.json is ${name}`, () => {
    const bundle = bundleWith(make);
    throwsVxn(() => readBundle(bundle), 'INVALID_BUNDLE', `${join(bundle, 'config.json')}`);
    throwsVxn(() => readBundle(bundle), 'INVALID_BUNDLE', text);
    rmSync(bundle, { recursive: true });
  });
}
