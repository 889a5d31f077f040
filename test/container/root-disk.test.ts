// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeRootDisk, measure, mke2fsArgs, planRootDisk, sizeOf } from '../../src/container/root-disk.ts';
import { runSteps } from '../fixtures/steps.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const folder = temporaryFolder();
const rootfs = join(folder, 'rootfs');
const image = join(folder, 'root.img');
const mounted = join(folder, 'mnt');

const buildRootDisk = (mke2fs: string, root: string, file: string, free: number): void =>
  runSteps(makeRootDisk(mke2fs, planRootDisk(root, free), file));
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

/** Everything of a tree that a copy must keep. */
function listing(root: string): string[] {
  const inodes = new Map<string, string>();
  const visit = (path: string, name: string): string[] => {
    const st = lstatSync(path);
    const key = `${st.dev}:${st.ino}`;
    const first = inodes.get(key) ?? name;
    inodes.set(key, first);
    const what = st.isSymbolicLink()
      ? `-> ${readlinkSync(path)}`
      : st.isFile()
        ? String(st.size)
        : String(st.rdev);
    const line = `${name} ${st.mode.toString(8)} ${st.uid}:${st.gid} ${Math.trunc(st.mtimeMs / 1000)} =${first} ${
      st.isDirectory() ? '' : what
    }`;
    if (!st.isDirectory()) return [line];
    return [
      line,
      ...readdirSync(path)
        .sort()
        .flatMap((n) => (n === 'lost+found' ? [] : visit(join(path, n), `${name}/${n}`))),
    ];
  };
  return visit(root, '');
}

function makeTree(): void {
  mkdirSync(join(rootfs, 'deep/er'), { recursive: true });
  writeFileSync(join(rootfs, 'plain'), 'plain\n');
  writeFileSync(join(rootfs, 'owned'), 'x');
  lchownSync(join(rootfs, 'owned'), 4_000_000_000, 65534);
  writeFileSync(join(rootfs, 'setuid'), '');
  chmodSync(join(rootfs, 'setuid'), 0o6755);
  mkdirSync(join(rootfs, 'sticky'));
  chmodSync(join(rootfs, 'sticky'), 0o1777);
  linkSync(join(rootfs, 'plain'), join(rootfs, 'deep/hard'));
  symlinkSync('../plain', join(rootfs, 'deep/link'));
  symlinkSync(`/${'long/'.repeat(20)}`, join(rootfs, 'deep/long-link'));
  run('mknod', join(rootfs, 'chr'), 'c', '1', '3');
  run('mknod', join(rootfs, 'blk'), 'b', '259', '300');
  run('mkfifo', join(rootfs, 'fifo'));
  writeFileSync(join(rootfs, 'sparse'), 'head');
  truncateSync(join(rootfs, 'sparse'), 300 * MIB);
  writeFileSync(join(rootfs, 'odd name\n\'é"'), 'odd');
  utimesSync(join(rootfs, 'plain'), 1_000_000_000, 1_000_000_000);
  utimesSync(join(rootfs, 'deep'), 5, 5);
  lchownSync(rootfs, 7, 8);
  chmodSync(rootfs, 0o750);
}

let taken: string[];
before(() => {
  mkdirSync(rootfs);
  makeTree();
  taken = listing(rootfs);
  buildRootDisk('mke2fs', rootfs, image, 16 * MIB);
  mkdirSync(mounted);
  run('mount', '-o', 'loop,ro', image, mounted);
});
after(() => run('umount', mounted));

test('owners, modes, links, devices, times: the image is the tree', () => {
  // The time of the root folder itself is mke2fs's.
  const strip = (lines: string[]): string[] => [(lines[0] ?? '').replace(/ \d+ =/, ' ='), ...lines.slice(1)];
  assert.deepEqual(strip(listing(mounted)), strip(taken));
});

test('contents', () => {
  assert.equal(readFileSync(join(mounted, 'plain'), 'utf8'), 'plain\n');
  assert.equal(readFileSync(join(mounted, 'odd name\n\'é"'), 'utf8'), 'odd');
});

test('holes stay holes, in the file and in the image', () => {
  const sparse = statSync(join(mounted, 'sparse'));
  assert.equal(sparse.size, 300 * MIB);
  assert.ok(sparse.blocks * 512 <= 8192, `${sparse.blocks} blocks`);
  const { size, blocks } = statSync(image);
  assert.ok(size < 40 * MIB, `image of ${size}`);
  assert.ok(blocks * 512 < 4 * MIB, `${blocks * 512} bytes on disk`);
});

test('there is as much room as was asked for', () => {
  const [, free = ''] = run('df', '--output=avail', '-B1', mounted).trim().split('\n');
  assert.ok(Number(free) >= 16 * MIB, `${free} bytes`);
  const [, inodes = ''] = run('df', '--output=iavail', mounted).trim().split('\n');
  assert.ok(Number(inodes) >= 1024, `${inodes} inodes`);
});

test('the file system is whole, has no journal and no reserved blocks', () => {
  run('e2fsck', '-fn', image);
  const header = run('dumpe2fs', '-h', image);
  assert.doesNotMatch(header, /has_journal|metadata_csum|64bit/);
  assert.match(header, /Reserved block count: +0\n/);
});

test('the bundle is as it was, and nothing is left beside the image', () => {
  assert.deepEqual(listing(rootfs), taken);
  assert.equal(existsSync(`${image}.new`), false);
  assert.equal(statSync(image).mode & 0o777, 0o600);
});

test('extended attributes, file capabilities among them', () => {
  const tree = join(folder, 'attributes');
  mkdirSync(tree);
  writeFileSync(join(tree, 'f'), '');
  run('setfattr', '-n', 'user.note', '-v', 'kept', join(tree, 'f'));
  run('setfattr', '-n', 'security.capability', '-v', `0x0100000200040000${'0'.repeat(24)}`, join(tree, 'f'));
  const file = join(folder, 'attributes.img');
  buildRootDisk('mke2fs', tree, file, MIB);
  const listed = run('debugfs', '-R', 'ea_list /f', file);
  assert.match(listed, /user\.note \(4\) = "kept"/);
  assert.match(listed, /security\.capability \(20\)/);
});

const SIZES: [bytes: number, inodes: number, free: number][] = [
  [0, 1, 0],
  [4096, 1, 4 * MIB],
  [100 * MIB, 10_000, 512 * MIB],
  [1 << 30, 200_000, 0],
];
for (const [bytes, inodes, free] of SIZES) {
  test(`size for ${bytes} bytes, ${inodes} inodes and ${free} free`, () => {
    const size = sizeOf({ bytes, inodes }, free);
    assert.equal(size.bytes % MIB, 0);
    assert.ok(size.bytes >= bytes + free + inodes * 256);
    assert.ok(size.bytes < (bytes + free + size.inodes * 256) * 1.04 + 6 * MIB);
    assert.ok(size.inodes > inodes + free / 16384);
  });
}

test('a hard link counts once, a folder at least a block', () => {
  const tree = join(folder, 'counted');
  mkdirSync(tree);
  assert.equal(measure(tree).inodes, 1);
  writeFileSync(join(tree, 'a'), 'x'.repeat(5000));
  linkSync(join(tree, 'a'), join(tree, 'b'));
  const { bytes, inodes } = measure(tree);
  assert.equal(inodes, 2);
  assert.ok(bytes >= 8192 + 4096);
});

test('a name that is no UTF-8', () => {
  const tree = join(folder, 'latin1');
  mkdirSync(tree);
  writeFileSync(Buffer.from(`${tree}/caf\xe9`, 'latin1'), 'x'.repeat(5000));
  const file = join(folder, 'latin1.img');
  buildRootDisk('mke2fs', tree, file, 0);
  const names = execFileSync('debugfs', ['-R', 'ls -p /', file], {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.match(names, /\/caf\xe9\/5000\//);
});

for (const [name, files, size] of [
  ['many small files', 3000, 1],
  ['one large file', 1, 20 * MIB],
  ['an empty folder', 0, 0],
] as const) {
  test(`the image is large enough for ${name}`, () => {
    const tree = join(folder, name);
    mkdirSync(tree);
    for (let i = 0; i < files; i++)
      writeFileSync(join(tree, `file-with-a-rather-long-name-${i}`), Buffer.alloc(size, 1));
    buildRootDisk('mke2fs', tree, join(folder, `${name}.img`), 0);
  });
}

test('mke2fs is told to take names as they are: no shell, the image last', () => {
  const args = mke2fsArgs('/i', '/root fs', 99);
  assert.deepEqual(args.slice(-3), ['-d', '/root fs', '/i']);
});

function tool(name: string, body: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

const FAILURES: [name: string, mke2fs: () => string, text: string | RegExp][] = [
  ['is not there', () => '/no/mke2fs', '/no/mke2fs: command not found (install e2fsprogs)'],
  [
    'fails',
    () => tool('fails', 'echo one >&2; echo "No space left" >&2; exit 1'),
    /^cannot build the root disk: one; No space left$/,
  ],
  ['fails without a word', () => tool('silent', 'exit 3'), 'cannot build the root disk: status 3'],
  ['is killed', () => tool('killed', 'kill -9 $$'), 'cannot build the root disk: killed by signal 9'],
];
for (const [name, mke2fs, text] of FAILURES) {
  test(`mke2fs ${name}`, () => {
    const file = join(folder, 'failed.img');
    throwsVxn(() => buildRootDisk(mke2fs(), rootfs, file, MIB), 'DISK', text);
  });
}

test('the settings of the host do not change the image', () => {
  const env = join(folder, 'env');
  buildRootDisk(tool('env-check', `env > ${env}; exec mke2fs "$@"`), rootfs, join(folder, 'e.img'), MIB);
  assert.match(readFileSync(env, 'utf8'), /^MKE2FS_CONFIG=\/dev\/null$/m);
});

test('a rootfs that cannot be read', () => {
  throwsVxn(() => measure(join(folder, 'no')), 'DISK', 'cannot read the rootfs: ENOENT');
});
