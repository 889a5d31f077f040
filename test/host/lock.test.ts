// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VxnError } from '../../src/host/errors.ts';
import { withLock } from '../../src/host/lock.ts';
import { sleep } from '../../src/host/wait.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const LOCK = join(folder, 'lock');

test('actions come one after another, and nothing is left', async () => {
  let inside = 0;
  const results = await Promise.all(
    [1, 2, 3, 4].map((n) =>
      withLock(LOCK, async () => {
        inside += 1;
        assert.equal(inside, 1);
        await sleep(5);
        inside -= 1;
        return n;
      }),
    ),
  );
  assert.deepEqual(results, [1, 2, 3, 4]);
  assert.deepEqual(readdirSync(folder), []);
});

test('an action that fails gives the lock back', async () => {
  await assert.rejects(
    withLock(LOCK, () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  );
  assert.equal(existsSync(LOCK), false);
});

test('a container that goes meanwhile does not exist', async () => {
  const gone = (error: unknown): boolean => error instanceof VxnError && error.code === 'DOES_NOT_EXIST';
  const container = join(folder, 'container');
  const lock = join(container, 'lock');
  await assert.rejects(
    withLock(lock, () => Promise.resolve()),
    gone,
  );
  mkdirSync(container);
  await withLock(lock, () => Promise.resolve(rmSync(container, { recursive: true })));
  assert.equal(existsSync(container), false);
});
