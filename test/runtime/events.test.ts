// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { domainName } from '../../src/container/container.ts';
import { type Created, Host, STATE_ROOT } from '../fixtures/host.ts';

const host = new Host();
const failure = (text: string): object => ({ status: 1, stdout: '', stderr: `${text}\n` });

async function running(id: string): Promise<Created> {
  const c = host.create(id, { bundle: host.script('sleep 600 & echo forked; wait') });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.equal(host.run(['start', id]).status, 0);
  while (!c.text('stdout').includes('forked')) await new Promise((resolve) => setTimeout(resolve, 10));
  return c;
}

const KIB = 1024;
const TOTAL = (256 * KIB - 40_000) * KIB;

test("events --stats: the guest's figures in the form of runc", async () => {
  const c = await running('e');
  const { status, stdout, stderr } = host.run(['events', '--stats', 'e']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^\{.*\}\n$/);
  const { type, id, data } = JSON.parse(stdout);
  assert.deepEqual([type, id], ['stats', 'e']);
  assert.deepEqual(data.memory.usage, { limit: TOTAL, usage: 30_000 * KIB, failcnt: 0 });
  assert.equal(data.memory.cache, 5000 * KIB);
  assert.deepEqual(data.cpu.usage, { total: 3.5e9, kernel: 1e9, user: 2.5e9 });
  assert.ok(data.pids.current >= 2, JSON.stringify(data.pids));
  assert.deepEqual(host.run(['pause', 'e']).status, 0);
  assert.deepEqual(
    host.run(['events', '--stats', 'e']),
    failure('container paused: its guest gives no statistics until resume'),
  );
  assert.deepEqual(host.run(['resume', 'e']).status, 0);
  assert.equal(host.run(['events', '--stats', 'e']).status, 0);
  host.run(['kill', 'e', '9']);
  await c.exit;
  assert.deepEqual(host.run(['events', '--stats', 'e']), failure('container with id e is not running'));
  assert.deepEqual(host.run(['events', 'e']), failure('container with id e is not running'));
  host.run(['delete', 'e']);
});

test('events goes on until the container ends, through a pause, and tells of memory that ran out', async () => {
  const c = await running('s');
  const { child, result } = host.begin(['events', '--interval', '20ms', 's']);
  const lines = (): number => (seen.match(/\n/g) ?? []).length;
  let seen = '';
  child.stdout?.on('data', (chunk: string) => {
    seen += chunk;
  });
  const until = async (n: number): Promise<void> => {
    const deadline = Date.now() + 20_000;
    while (lines() < n) {
      assert.ok(Date.now() < deadline, `only ${lines()} of ${n} events`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await until(15);
  assert.equal(host.run(['pause', 's']).status, 0);
  assert.equal(host.run(['resume', 's']).status, 0);
  await until(lines() + 3);
  assert.doesNotMatch(seen, /"oom"/);
  const [domain = ''] = host.domains(domainName(STATE_ROOT, 's'));
  writeFileSync(join(host.folder, 'domains', domain, 'proc/vmstat'), 'nr_free_pages 1\noom_kill 2\n');
  await until(lines() + 3);
  host.run(['kill', 's', '9']);
  await c.exit;
  const { status, stdout, stderr } = await result;
  assert.deepEqual([status, stderr], [0, '']);
  const types = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).type as string);
  assert.deepEqual(
    types.filter((t) => t === 'oom'),
    ['oom'],
    'once',
  );
  assert.deepEqual(host.run(['delete', 's']).status, 0);
});

test('many who ask at once are all answered, and so is one after those who gave up', async () => {
  const c = await running('m');
  const asked = Array.from({ length: 8 }, () => host.begin(['events', '--stats', 'm']).result);
  for (const { status, stdout } of await Promise.all(asked)) {
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).type, 'stats');
  }
  const quitters = Array.from({ length: 4 }, () => host.begin(['events', '--interval', '1ms', 'm']));
  await Promise.all(
    quitters.map(({ child }) => new Promise((resolve) => child.stdout?.once('data', resolve))),
  );
  assert.equal(host.run(['pause', 'm']).status, 0);
  for (const { child } of quitters) child.kill('SIGKILL');
  await Promise.all(quitters.map((q) => q.result));
  assert.equal(host.run(['resume', 'm']).status, 0);
  assert.equal(host.run(['events', '--stats', 'm']).status, 0);
  host.run(['delete', '--force', 'm']);
  await c.exit;
});

test('events of a container that is not started yet, and a reader that goes away', async () => {
  const c = host.create('early', { bundle: host.script('sleep 600') });
  assert.equal(await c.created, 0);
  assert.equal(JSON.parse(host.run(['events', '--stats', 'early']).stdout).data.pids.current ?? 0, 0);
  const { child, result } = host.begin(['events', '--interval', '10ms', 'early']);
  child.stdout?.once('data', () => child.stdout?.destroy());
  assert.equal((await result).status, 0);
  host.run(['delete', '--force', 'early']);
  await c.exit;
});

test('bad input', () => {
  assert.deepEqual(host.run(['events', 'nobody']), failure('container does not exist'));
  assert.match(
    host.run(['events', '--interval', '0', 'x']).stderr,
    /^the interval must be a duration above 0, not "0"/,
  );
  assert.equal(host.run(['events', '--interval']).status, 1);
});
