// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { gateOpened, waitAtGate } from '../../src/host/gate.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const GATE = join(folder, 'gate');
execFileSync('mkfifo', [GATE]);

test('a gate that nobody holds, or that is missing, is open', async () => {
  waitAtGate(GATE);
  await gateOpened(GATE);
  waitAtGate(join(folder, 'no'));
  await gateOpened(join(folder, 'no'));
});

test('a gate opens when the process that holds it ends', async () => {
  const holder = spawn('sh', ['-c', `exec 3<>"${GATE}"; echo held; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  let isOpen = false;
  const opened = gateOpened(GATE).then(() => {
    isOpen = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(isOpen, false);
  holder.kill('SIGKILL');
  await opened;
  waitAtGate(GATE);
});
