// SPDX-License-Identifier: MIT
// Two hundred lives. In each of them something may be killed at a random moment. Nothing is left,
// and no status is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from '../../fixtures/host.ts';
import { live, numbers } from '../../fixtures/random.ts';

const CYCLES = 200;
const AT_ONCE = 4;
const SILENT = { status: 0, stdout: '', stderr: '' };

const host = new Host();

type Victim = 'nothing' | 'create' | 'start' | 'kill' | 'delete' | 'monitor' | 'domain';
const VICTIMS: readonly Victim[] = ['nothing', 'create', 'start', 'kill', 'delete', 'monitor', 'domain'];

/** Runs a verb to its end, or kills it after a random time. Gives true when it came to its end. */
async function call(args: string[], killed: boolean, random: () => number): Promise<boolean> {
  const { child } = host.begin(args);
  // Its pipes may belong to a container that goes on, so only its own end counts.
  const ended = once(child, 'exit') as Promise<[status: number | null]>;
  if (killed) {
    await sleep(random() * 120);
    child.kill('SIGKILL');
  }
  const [status] = await ended;
  return status !== null;
}

function monitorOf(id: string): number | undefined {
  try {
    return host.stored(id).holder?.pid;
  } catch {
    return undefined;
  }
}

function killPid(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended before the signal.
  }
}

function killDomain(id: string): void {
  for (const d of host.domains(host.storedDomain(id).name)) spawnSync(host.config.xl, ['destroy', d]);
}

/**
 * The statuses that a life may have. It is the program's own 7, unless something was killed before
 * the program could end.
 */
function allowed(victim: Victim, finishes: boolean): readonly number[] {
  const own = finishes ? 7 : 137;
  if (victim === 'monitor') return [own, 137];
  if (victim === 'domain') return [own, 255];
  return victim === 'start' || victim === 'kill' ? [own, 7, 137] : [own];
}

async function life(id: string, victim: Victim, random: () => number): Promise<void> {
  const finishes = random() < 0.5;
  const bundle = host.script(finishes ? 'sleep 0.05; exit 7' : 'sleep 60');
  if (victim === 'create') {
    await call(['create', '--bundle', bundle, id], true, random);
  } else {
    const container = host.create(id, { bundle });
    assert.equal(await container.created, 0, container.text('stderr'));
    const started = await call(['start', id], victim === 'start', random);
    await sleep(random() * 60);
    if (victim === 'monitor') killPid(monitorOf(id));
    if (victim === 'domain') killDomain(id);
    if (!finishes || victim === 'start' || !started)
      await call(['kill', id, 'KILL'], victim === 'kill', random);
    // A kill or a start that was killed itself may have had no effect.
    if (victim === 'kill' || victim === 'start') host.run(['kill', '--all', id, 'KILL']);
    const status = await container.exit;
    assert.ok(
      status !== undefined && allowed(victim, finishes).includes(status),
      `${id}: status ${status}, ${victim} killed`,
    );
  }
  if (victim === 'delete') await call(['delete', '--force', id], true, random);
  assert.deepEqual(host.run(['delete', '--force', id]), SILENT, `${id}, ${victim} killed`);
  assert.deepEqual(await host.leftovers(id), [], `${id}, ${victim} killed`);
}

test(`${CYCLES} lives with random kills of the runtime, the monitor and the domain`, async () => {
  const random = numbers(20261123);
  await live(CYCLES, AT_ONCE, (n) => life(`s${n}`, VICTIMS[n % VICTIMS.length] ?? 'nothing', random));
  assert.deepEqual(host.domains(), []);
  assert.equal(host.run(['list', '-q']).stdout, '');
});
