// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  claimFolder,
  dropClaim,
  namesIn,
  readIfThere,
  removeFolder,
  replace,
  replaceFile,
} from '../../src/host/files.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const empty = (): string => join(temporaryFolder());

test('a file is replaced as a whole, with its mode, and nothing is left beside it', () => {
  const folder = empty();
  const file = join(folder, 'file');
  replaceFile(file, 'old');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  replaceFile(file, Buffer.from('new'), 0o640);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('a link is replaced, not followed', () => {
  const folder = empty();
  writeFileSync(join(folder, 'target'), 'kept');
  symlinkSync('target', join(folder, 'link'));
  replaceFile(join(folder, 'link'), 'new');
  assert.ok(lstatSync(join(folder, 'link')).isFile());
  assert.equal(readFileSync(join(folder, 'target'), 'utf8'), 'kept');
});

test('a failure leaves the old file and nothing beside it', () => {
  const folder = empty();
  const file = join(folder, 'file');
  replaceFile(file, 'old');
  assert.throws(
    () =>
      replace(file, (temporary) => {
        writeFileSync(temporary, 'half');
        throw new Error('full');
      }),
    /full/,
  );
  mkdirSync(join(folder, 'folder'));
  assert.throws(() => replaceFile(join(folder, 'folder'), 'x'), { code: 'EISDIR' });
  assert.throws(() => replaceFile(join(folder, 'no/file'), 'x'), { code: 'ENOENT' });
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder).sort(), ['file', 'folder']);
});

test('a folder is claimed once, with its files; an empty one is taken', () => {
  const folder = empty();
  const claimed = join(folder, 'claimed');
  mkdirSync(claimed);
  assert.equal(claimFolder(claimed, { a: '1', b: '2' }), true);
  assert.equal(claimFolder(claimed, { a: '3' }), false);
  assert.deepEqual([readIfThere(join(claimed, 'a')), readIfThere(join(claimed, 'b'))], ['1', '2']);
  assert.equal(statSync(claimed).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(folder), ['claimed']);
  assert.throws(() => claimFolder(join(folder, 'no/claimed'), { a: '' }), { code: 'ENOENT' });
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => claimFolder(join(folder, 'file'), { a: '' }), { code: 'ENOTDIR' });
  assert.deepEqual(readdirSync(folder).sort(), ['claimed', 'file']);
});

test('a claim is undone by its own name only', () => {
  const claimed = join(empty(), 'claimed');
  claimFolder(claimed, { ours: '' });
  dropClaim(claimed, 'theirs');
  assert.deepEqual(namesIn(claimed), ['ours']);
  dropClaim(claimed, 'ours');
  dropClaim(claimed, 'ours');
  assert.equal(existsSync(claimed), false);
});

test('what is not there has no names and no text', () => {
  const folder = empty();
  assert.deepEqual(namesIn(join(folder, 'no')), []);
  assert.equal(readIfThere(join(folder, 'no')), undefined);
  assert.throws(() => readIfThere(folder), { code: 'EISDIR' });
});

test('a folder goes with all that is in it; links are not followed', () => {
  const folder = empty();
  const [kept, gone] = [join(folder, 'kept'), join(folder, 'gone')];
  mkdirSync(join(gone, 'a/b'), { recursive: true });
  mkdirSync(kept);
  writeFileSync(join(kept, 'file'), '');
  writeFileSync(join(gone, 'a/b/file'), '');
  writeFileSync(join(gone, 'state'), '');
  symlinkSync(kept, join(gone, 'link'));
  removeFolder(gone, ['state', 'missing']);
  removeFolder(gone);
  assert.deepEqual(readdirSync(folder), ['kept']);
  assert.deepEqual(readdirSync(kept), ['file']);
});
