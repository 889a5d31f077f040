// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeLogs } from '../../../src/cli/render/logs.ts';
import { temporaryFolder } from '../../fixtures/temporary.ts';

test("each piece goes to the caller's stream of its name", () => {
  const folder = temporaryFolder();
  const [out, err] = [openSync(join(folder, 'out'), 'w'), openSync(join(folder, 'err'), 'w')];
  writeLogs(
    [
      { stream: 'stdout', data: Buffer.from('a') },
      { stream: 'stderr', data: Buffer.from('b') },
      { stream: 'stdout', data: Buffer.from('c') },
    ],
    [0, out, err],
  );
  for (const fd of [out, err]) closeSync(fd);
  assert.deepEqual(
    [readFileSync(join(folder, 'out'), 'utf8'), readFileSync(join(folder, 'err'), 'utf8')],
    ['ac', 'b'],
  );
});
