// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urisOfDeb822, urisOfOneLine } from '../../lab/mirror.ts';
import { insmodPaths, moduleName } from '../../lab/modules.ts';
import { identify, isAlive } from '../../lab/processes.ts';
import { shellWords } from '../../lab/sysroot.ts';

test('the Debian mirror is found in deb822 sources, past comments and other archives', () => {
  const text = `Types: deb
URIs: http://other.test/node
Suites: nodistro
Components: main

Types: deb
# URIs: http://comment.test/
URIs: http://security.test/debian-security
Suites: bookworm-security

Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
`;
  assert.deepEqual(urisOfDeb822(text), ['http://mirror.test/debian']);
});

test('the Debian mirror is found in one-line sources', () => {
  const text = `# deb http://comment.test/ bookworm main
deb-src http://source.test/debian bookworm main
deb http://security.test/debian-security bookworm-security main
deb [arch=amd64 signed-by=/k] http://mirror.test/debian bookworm main
`;
  assert.deepEqual(urisOfOneLine(text), ['http://mirror.test/debian']);
});

test("modprobe's answer is read: files in order, built-in ones left out", () => {
  const output = 'builtin virtio_pci\ninsmod /l/jbd2.ko.xz \ninsmod /l/ext4.ko.xz opt=1\n';
  assert.deepEqual(insmodPaths(output), ['/l/jbd2.ko.xz', '/l/ext4.ko.xz']);
  assert.equal(moduleName('/l/ext4.ko.xz'), 'ext4');
  assert.equal(moduleName('/l/xen-blkfront.ko'), 'xen-blkfront');
});

test('a process is known by its start time, not by its number alone', async () => {
  const self = await identify(process.pid);
  assert.ok(self);
  assert.equal(await isAlive(self), true);
  assert.equal(await isAlive({ ...self, startTime: '1@other' }), false);
  assert.equal(await identify(2 ** 22 + 1), undefined);
});

test('make variables are quoted for a shell', () => {
  assert.equal(shellWords({ CC: "gcc -I'x y'" }), "CC='gcc -I'\\''x y'\\'''");
});
