// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Created, Host } from '../fixtures/host.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };
const failure = (text: string): object => ({ status: 1, stdout: '', stderr: `${text}\n` });

async function running(id: string, script: string): Promise<Created> {
  const c = host.create(id, { bundle: host.script(`${script}`) });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', id]), SILENT);
  const deadline = Date.now() + 20_000;
  while (!c.text('stdout').includes('ready') && Date.now() < deadline) await sleep(10);
  return c;
}

const WAIT = 'echo ready; while :; do sleep 1; done';
const TRAPS = `trap 'exit 11' HUP; trap 'exit 12' TERM; trap 'exit 13' USR1; ${WAIT.replace('sleep 1', 'sleep 0.05')}`;

const SIGNALS: [args: string[], status: number][] = [
  [[], 12],
  [['TERM'], 12],
  [['SIGHUP'], 11],
  [['usr1'], 13],
  [['10'], 13],
  [['9'], 137],
  [['KILL'], 137],
];
for (const [i, [args, status]] of SIGNALS.entries()) {
  test(`kill ID ${args.join(' ')}: status ${status}`, async () => {
    const id = `k${i}`;
    const c = await running(id, TRAPS);
    assert.deepEqual(host.run(['kill', id, ...args]), SILENT);
    assert.equal(await c.exit, status);
    assert.deepEqual(host.run(['kill', id]), failure('container not running'));
    assert.deepEqual(host.run(['kill', '--all', id, '9']), SILENT);
    assert.deepEqual(host.run(['delete', id]), SILENT);
    assert.deepEqual(await host.leftovers(id), []);
  });
}

test('signals sent to the monitor itself are handed on: that is how shims kill', async () => {
  const c = await running('direct', TRAPS);
  const { pid } = JSON.parse(host.run(['state', 'direct']).stdout) as { pid: number };
  process.kill(pid, 'SIGUSR1');
  assert.equal(await c.exit, 13);
  host.run(['delete', 'direct']);
});

test('a monitor that is killed: stopped, and delete takes the domain along', async () => {
  const c = await running('headless', WAIT);
  const { pid } = JSON.parse(host.run(['state', 'headless']).stdout) as { pid: number };
  process.kill(pid, 'SIGKILL');
  assert.equal(await c.exit, 137);
  assert.equal(JSON.parse(host.run(['state', 'headless']).stdout).status, 'stopped');
  assert.deepEqual(host.run(['kill', 'headless', '9']), failure('container not running'));
  assert.deepEqual(host.run(['delete', 'headless']), SILENT);
  assert.deepEqual(await host.leftovers('headless'), []);
});

test('kill --all reaches every process', async () => {
  const c = await running(
    'all',
    `trap 'wait; exit 3' TERM; (trap 'echo child; exit' TERM; ${WAIT.replace('sleep 1', 'sleep 0.05')}) & wait`,
  );
  assert.deepEqual(host.run(['kill', '--all', 'all', 'TERM']), SILENT);
  assert.equal(await c.exit, 3);
  assert.match(c.text('stdout'), /child/);
  host.run(['delete', 'all']);
});

test('kill of a container that was never started ends it', async () => {
  const c = host.create('early', { bundle: host.script(WAIT) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['kill', 'early', 'TERM']), SILENT);
  assert.equal(await c.exit, 143);
  assert.deepEqual(host.run(['start', 'early']), failure('cannot start a container that has stopped'));
  assert.deepEqual(host.run(['delete', 'early']), SILENT);
});

test('kill is quick, also of a program that ignores TERM', async () => {
  const c = await running('deaf', `trap '' TERM; ${WAIT}`);
  const begin = Date.now();
  assert.deepEqual(host.run(['kill', 'deaf', 'TERM']), SILENT);
  assert.ok(Date.now() - begin < 5000);
  assert.equal(JSON.parse(host.run(['state', 'deaf']).stdout).status, 'running');
  assert.deepEqual(host.run(['kill', 'deaf', 'KILL']), SILENT);
  assert.equal(await c.exit, 137);
  host.run(['delete', 'deaf']);
});

test('literal texts that engines match on', async () => {
  assert.deepEqual(host.run(['kill', 'nobody', '9']), failure('container does not exist'));
  assert.deepEqual(host.run(['kill', '--all', 'nobody', '9']), failure('container does not exist'));
  assert.deepEqual(host.run(['state', 'nobody']), failure('container does not exist'));
  assert.deepEqual(host.run(['start', 'nobody']), failure('container does not exist'));
  assert.deepEqual(host.run(['delete', 'nobody']), failure('container does not exist'));
  assert.deepEqual(host.run(['delete', '--force', 'nobody']), SILENT);

  const c = await running('texts', WAIT);
  assert.deepEqual(host.run(['start', 'texts']), failure('cannot start an already running container'));
  assert.deepEqual(
    host.run(['delete', 'texts']),
    failure('cannot delete container texts that is not stopped: running'),
  );
  assert.deepEqual(host.run(['kill', 'texts', 'FOO']), failure('unknown signal "FOO"'));
  const again = host.create('texts');
  assert.equal(await again.created, 1);
  await again.exit;
  assert.equal(again.text('stderr'), 'container with given ID already exists\n');
  assert.equal(JSON.parse(host.run(['state', 'texts']).stdout).status, 'running');
  assert.deepEqual(host.run(['delete', '--force', 'texts']), SILENT);
  assert.equal(await c.exit, 137);
  assert.deepEqual(host.run(['delete', 'texts']), failure('container does not exist'));
  assert.deepEqual(await host.leftovers('texts'), []);
});

test('the agent dies: the container ends with 255, and start says why', async () => {
  const c = await running('lost', WAIT);
  // The agent is the only process that names the domain's state folder.
  for (const line of host.processes(host.folder).filter((p) => p.includes('--state'))) {
    spawnSync('kill', ['-9', line.split(' ')[0] ?? '']);
  }
  assert.equal(await c.exit, 255);
  const { status, stderr } = host.run(['start', 'lost']);
  assert.equal(status, 1);
  assert.match(stderr, /^the guest's agent is gone \(see vxn-oci-runtime logs --console ID\)\n$/);
  assert.deepEqual(host.run(['delete', 'lost']), SILENT);
  assert.deepEqual(await host.leftovers('lost'), []);
});
