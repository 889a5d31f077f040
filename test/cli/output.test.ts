// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAll } from '../../src/cli/input.ts';
import { writeAll } from '../../src/cli/output.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const BIG = Buffer.alloc(1 << 20, 'x');

function fifo(): string {
  const path = join(temporaryFolder(), 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

test('a full, non-blocking pipe is waited for until all is written', async () => {
  const path = fifo();
  const reader = spawn('sh', ['-c', 'exec <"$0"; sleep 0.2; exec wc -c', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let counted = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    counted += text;
  });
  // Opening it for both directions waits for nobody.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(writeAll(fd, BIG), true);
  closeSync(fd);
  await once(reader, 'close');
  assert.equal(counted.trim(), String(BIG.length));
});

test('a reader that is gone is no error', () => {
  const path = fifo();
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  closeSync(reader);
  assert.equal(writeAll(writer, 'x'), false);
  closeSync(writer);
});

test('input is read to its end, and no further than the maximum', () => {
  const file = openSync(import.meta.filename, 'r');
  const own = readFileSync(import.meta.filename);
  assert.deepEqual(readAll(file, own.length), own);
  closeSync(file);
  const again = openSync(import.meta.filename, 'r');
  assert.equal(readAll(again, own.length - 1), undefined);
  closeSync(again);
});
