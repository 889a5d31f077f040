// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { hold, holderOf, release, self, tryHold } from '../../src/host/hold.ts';
import type { ProcessId } from '../../src/host/process-id.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const PROGRAM = join(folder, 'contender.mjs');
const DEAD: ProcessId = { pid: process.pid, startTime: '1' };

function holdOf(name: string, owner: ProcessId | string): string {
  const place = join(folder, name);
  mkdirSync(place);
  const file = typeof owner === 'string' ? owner : `${owner.pid}-${owner.startTime}`;
  writeFileSync(join(place, file), '');
  return place;
}

const ours = (): string => `${self().pid}-${self().startTime}`;
const named = (name: string): string[] => readdirSync(folder).filter((entry) => entry.startsWith(name));

test('one process at a time; what a dead one held is taken over', () => {
  const held = holdOf('held', DEAD);
  assert.equal(holderOf(held), undefined);
  assert.equal(tryHold(held), undefined);
  assert.deepEqual(tryHold(held), self());
  assert.deepEqual(holderOf(held), self());
  assert.deepEqual(readdirSync(held), [ours()]);
  assert.deepEqual(named('held'), ['held']);
  assert.throws(() => tryHold(join(folder, 'no/held')), { code: 'ENOENT' });
});

test('a hold that is given back is gone, and free', () => {
  const place = join(folder, 'given');
  assert.equal(tryHold(place), undefined);
  release(place);
  assert.deepEqual(named('given'), []);
  release(place);
  mkdirSync(place);
  assert.equal(tryHold(place), undefined, 'an empty one is free');
});

test('a living owner keeps its hold, whoever gives it back', () => {
  const parent = { pid: process.ppid, startTime: '0' };
  const place = holdOf('theirs', parent);
  release(place);
  assert.deepEqual(readdirSync(place), [`${process.ppid}-0`]);
});

test('a name that is no process does not keep anybody out', () => {
  const place = holdOf('odd', 'notes.txt');
  assert.equal(tryHold(place), undefined);
  assert.deepEqual(readdirSync(place), [ours()]);
});

test('what an earlier process of the same pid has left does not disturb', () => {
  const place = join(folder, 'reused');
  mkdirSync(`${place}~${process.pid}/deep`, { recursive: true });
  assert.equal(tryHold(place), undefined);
  assert.deepEqual(named('reused'), ['reused']);
});

test('waiting ends when the owner ends, or when the time is up', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const owner = (await import('../../src/host/process-id.ts')).identify(child.pid ?? 0) as ProcessId;
  const place = holdOf('waited', owner);
  assert.deepEqual(await hold(place, { waitMs: 30 }), owner);
  const taken = hold(place, { waitMs: 20_000 });
  child.kill('SIGKILL');
  assert.equal(await taken, undefined);
  assert.deepEqual(holderOf(place), self());
});

async function contend(place: string, times: number): Promise<string> {
  const args = [PROGRAM, place, join(folder, 'witness'), String(times)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal === 'SIGKILL' && stderr === '' ? '' : `status ${code ?? signal}: ${stderr}`;
}

test('contenders for a stale hold: exactly one has it at a time', { timeout: 180_000 }, async () => {
  const entry = join(import.meta.dirname, '../fixtures/contender.ts');
  await build({ entryPoints: [entry], outfile: PROGRAM, bundle: true, platform: 'node', format: 'esm' });
  const place = holdOf('stale', DEAD);
  let left = 200;
  const failures: string[] = [];
  // Two hundred processes, sixteen at a time: each takes over from one that died with the hold.
  const next = async (): Promise<void> => {
    while (left-- > 0) failures.push(await contend(place, 1));
  };
  await Promise.all(Array.from({ length: 16 }, next));
  assert.equal(failures.length, 200);
  assert.deepEqual([...new Set(failures)], ['']);
  // Eight that live at the same time: each takes it over and gives it back hundreds of times.
  const all = await Promise.all(Array.from({ length: 8 }, () => contend(place, 300)));
  assert.deepEqual([...new Set(all)], ['']);
  assert.ok(!existsSync(join(folder, 'witness')));
  assert.equal(readdirSync(place).length, 1);
  assert.deepEqual(named('stale'), ['stale']);
});
