// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { FrameReader, Tag, Type } from '../../src/channel/protocol.ts';
import { BindArea } from '../../src/domain/bind-area.ts';
import type { Mount } from '../../src/spec/spec.ts';
import { textsOf, valuesOf } from '../fixtures/records.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const folder = temporaryFolder();
const bind = (source: string): Mount => ({ destination: '/d', type: 'bind', source, options: ['bind'] });
const area = (sources: string[], limit = MIB): BindArea => new BindArea(sources.map(bind), limit);

interface File {
  path: string;
  mode: number;
  uid: number;
  link: string | undefined;
  data: string;
}

/** What the guest would make of the frames. */
function filesOf(binds: BindArea): File[] {
  const files: File[] = [];
  for (const frame of new FrameReader().push(Buffer.concat([...binds.frames(1)]))) {
    assert.equal(frame.id, 1);
    if (frame.type === Type.FileData) {
      const last = files.at(-1);
      if (last !== undefined) last.data += frame.payload.toString();
      continue;
    }
    assert.equal(frame.type, Type.File);
    files.push({
      path: textsOf(frame.payload, Tag.FilePath)[0] ?? '',
      mode: valuesOf(frame.payload, Tag.FileMode)[0]?.readUInt32LE() ?? 0,
      uid: valuesOf(frame.payload, Tag.FileUid)[0]?.readUInt32LE() ?? 0,
      link: textsOf(frame.payload, Tag.FileLink)[0],
      data: '',
    });
  }
  return files;
}

test('a tree: parents first, modes, owners, links as links, contents', () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'sub/file'), 'x'.repeat(70_000));
  lchownSync(join(tree, 'sub/file'), 12, 34);
  chmodSync(join(tree, 'sub/file'), 0o4711);
  // A link out of the tree is copied as it is: following it would carry a file of the host along.
  symlinkSync('/etc/shadow', join(tree, 'out'));
  symlinkSync('nowhere', join(tree, 'sub/broken'));
  execFileSync('mkfifo', [join(tree, 'pipe')]);
  const files = filesOf(area([tree]));
  assert.deepEqual(
    files.map((f) => f.path),
    ['0', '0/out', '0/pipe', '0/sub', '0/sub/broken', '0/sub/file'],
  );
  const file = files.find((f) => f.path === '0/sub/file');
  assert.deepEqual([file?.mode, file?.uid, file?.data.length], [0o104711, 12, 70_000]);
  assert.equal(files[1]?.link, '/etc/shadow');
  assert.equal(files[1]?.data, '');
  assert.equal(files[4]?.link, 'nowhere');
});

test('the source itself may be a link, as with mount(8)', () => {
  writeFileSync(join(folder, 'real'), 'content');
  symlinkSync('real', join(folder, 'link'));
  const files = filesOf(area([join(folder, 'link')]));
  assert.deepEqual(
    files.map((f) => [f.path, f.data, f.link]),
    [['0', 'content', undefined]],
  );
});

test('mounts are numbered, others left alone', () => {
  writeFileSync(join(folder, 'one'), '1');
  const mounts: Mount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: [] },
    bind(join(folder, 'one')),
    bind(join(folder, 'one')),
  ];
  const binds = new BindArea(mounts, MIB);
  assert.deepEqual(
    mounts.map((m) => binds.indexOf(m)),
    [undefined, 0, 1],
  );
  assert.deepEqual(
    filesOf(binds).map((f) => f.path),
    ['0', '1'],
  );
  assert.equal(binds.bytes, 4 * 4096);
});

test('a file that grows while it is copied is cut at the size that was counted', () => {
  const file = join(folder, 'grows');
  writeFileSync(file, 'abc');
  const binds = area([file]);
  writeFileSync(file, 'abcdefgh');
  assert.equal(filesOf(binds)[0]?.data, 'abc');
  truncateSync(file, 1);
  assert.equal(filesOf(binds)[0]?.data, 'a');
});

test('a file or folder that becomes a link meanwhile leads nowhere', () => {
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  const tree = join(folder, 'swapped');
  mkdirSync(join(tree, 'sub'), { recursive: true });
  for (const name of ['file', 'gone', 'sub/secret', 'kept']) writeFileSync(join(tree, name), 'public');
  symlinkSync('kept', join(tree, 'link'));
  const binds = area([tree]);
  for (const name of ['file', 'gone', 'sub', 'link']) rmSync(join(tree, name), { recursive: true });
  symlinkSync(join(outside, 'secret'), join(tree, 'file'));
  symlinkSync(outside, join(tree, 'sub'));
  writeFileSync(join(tree, 'link'), 'a file now');
  assert.deepEqual(
    filesOf(binds).map((f) => [f.path, f.data]),
    [
      ['0', ''],
      ['0/kept', 'public'],
    ],
  );
});

test('names and links that are no UTF-8 arrive byte by byte', () => {
  const tree = join(folder, 'latin1');
  mkdirSync(tree);
  const name = Buffer.from(`${tree}/caf\xe9`, 'latin1');
  writeFileSync(name, 'x');
  symlinkSync(Buffer.from('caf\xe9', 'latin1'), join(tree, 'link'));
  const frames = new FrameReader()
    .push(Buffer.concat([...area([tree]).frames(1)]))
    .filter(({ type }) => type === Type.File);
  const of = (tag: number): Buffer[] => frames.flatMap((frame) => valuesOf(frame.payload, tag));
  assert.deepEqual(of(Tag.FilePath)[1], Buffer.from('0/caf\xe9', 'latin1'));
  assert.deepEqual(of(Tag.FileLink), [Buffer.from('caf\xe9', 'latin1')]);
});

test('limits: bytes over all mounts, holes counted', () => {
  const big = join(folder, 'big');
  writeFileSync(big, '');
  truncateSync(big, 600 * 1024);
  assert.equal(filesOf(area([big])).length, 1);
  throwsVxn(
    () => area([big, big]),
    'UNSUPPORTED',
    'is too large: bind mounts are copied into the guest, at most 1 MiB',
  );
});

test('limits: number of files', () => {
  const many = join(folder, 'many');
  mkdirSync(many);
  writeFileSync(join(many, 'f0'), '');
  for (let i = 1; i < 16384; i++) linkSync(join(many, 'f0'), join(many, `f${i}`));
  throwsVxn(() => area([many], 1024 * MIB), 'UNSUPPORTED', '16384 files');
});

test('a source that is not there', () => {
  throwsVxn(() => area(['/no/such']), 'INVALID_SPEC', 'mount /d: source /no/such: no such file or directory');
  throwsVxn(() => area(['/etc/passwd/x']), 'INVALID_SPEC', 'mount /d: source /etc/passwd/x: ENOTDIR');
});

test('sockets and devices are refused, also inside a tree', async () => {
  const tree = join(folder, 'run');
  mkdirSync(tree);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(tree, 'docker.sock'), resolve));
  try {
    throwsVxn(
      () => area([join(tree, 'docker.sock')]),
      'UNSUPPORTED',
      'is a socket, which cannot reach into a virtual machine',
    );
    throwsVxn(() => area([tree]), 'UNSUPPORTED', 'docker.sock is a socket');
  } finally {
    server.close();
  }
  throwsVxn(() => area(['/dev/null']), 'UNSUPPORTED', '/dev/null is a device of the host');
});
