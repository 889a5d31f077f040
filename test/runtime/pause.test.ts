// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { domainName } from '../../src/container/container.ts';
import { type Created, Host, STATE_ROOT } from '../fixtures/host.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };
const failure = (text: string): object => ({ status: 1, stdout: '', stderr: `${text}\n` });
const status = (id: string): string => JSON.parse(host.run(['state', id]).stdout).status;

const COUNTS = "trap 'echo caught; exit 9' TERM; n=0; while :; do n=$((n + 1)); echo $n; sleep 0.02; done";

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `never: ${condition}`);
    await sleep(10);
  }
}

async function counting(id: string): Promise<Created> {
  const c = host.create(id, { bundle: host.script(COUNTS) });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', id]), SILENT);
  await until(() => c.text('stdout').includes('3\n'));
  return c;
}

const xl = (...args: string[]): void => {
  assert.equal(spawnSync(host.config.xl, args).status, 0);
};
const domainOf = (id: string): string => host.domains(domainName(STATE_ROOT, id))[0] ?? '';

test('a paused container is silent, and goes on where it was', async () => {
  const c = await counting('p');
  assert.equal(status('p'), 'running');
  assert.deepEqual(host.run(['resume', 'p']), failure('container not paused'));
  assert.deepEqual(host.run(['pause', 'p']), SILENT);
  assert.equal(status('p'), 'paused');
  assert.match(host.run(['list']).stdout, /^p +\d+ +paused /m);
  assert.equal(JSON.parse(host.run(['list', '--format', 'json']).stdout)[0].status, 'paused');
  assert.notEqual(JSON.parse(host.run(['state', 'p']).stdout).pid, 0);
  assert.equal(host.run(['ps', '--format', 'json', 'p']).status, 0);
  assert.deepEqual(host.run(['pause', 'p']), failure('container not running'));
  assert.deepEqual(host.run(['start', 'p']), failure('cannot start an already running container'));
  assert.deepEqual(
    host.run(['delete', 'p']),
    failure('cannot delete container p that is not stopped: paused'),
  );
  await sleep(100);
  const silent = c.text('stdout');
  await sleep(200);
  assert.equal(c.text('stdout'), silent);
  assert.deepEqual(host.run(['resume', 'p']), SILENT);
  assert.equal(status('p'), 'running');
  const next = Number(silent.trimEnd().split('\n').at(-1)) + 1;
  await until(() => c.text('stdout').startsWith(`${silent}${next}\n`));
  host.run(['kill', 'p', '9']);
  await c.exit;
  assert.deepEqual(host.run(['delete', 'p']), SILENT);
  assert.deepEqual(await host.leftovers('p'), []);
});

test('a signal to a paused container is delivered when it goes on', async () => {
  const c = await counting('s');
  assert.deepEqual(host.run(['pause', 's']), SILENT);
  assert.deepEqual(host.run(['kill', 's', 'TERM']), SILENT);
  await sleep(200);
  assert.equal(status('s'), 'paused');
  assert.deepEqual(host.run(['resume', 's']), SILENT);
  assert.equal(await c.exit, 9);
  assert.match(c.text('stdout'), /caught/);
  assert.deepEqual(host.run(['delete', 's']), SILENT);
});

test('kill 9 ends a paused container; the resume that the shim sends afterwards is no error', async () => {
  const c = await counting('k');
  assert.deepEqual(host.run(['pause', 'k']), SILENT);
  assert.deepEqual(host.run(['kill', 'k', '9']), SILENT);
  assert.equal(await c.exit, 137);
  assert.equal(status('k'), 'stopped');
  assert.deepEqual(host.run(['resume', 'k']), SILENT);
  assert.deepEqual(host.run(['resume', 'k']), failure('container not paused'));
  assert.deepEqual(host.run(['pause', 'k']), failure('container not running'));
  assert.deepEqual(host.run(['delete', 'k']), SILENT);
  assert.deepEqual(await host.leftovers('k'), []);
});

test('delete --force ends a paused container', async () => {
  const c = await counting('f');
  assert.deepEqual(host.run(['pause', 'f']), SILENT);
  assert.deepEqual(host.run(['delete', '--force', 'f']), SILENT);
  assert.equal(await c.exit, 137);
  assert.deepEqual(await host.leftovers('f'), []);
});

test('what somebody does with xl counts', async () => {
  const c = await counting('x');
  xl('pause', domainOf('x'));
  assert.equal(status('x'), 'paused');
  xl('pause', domainOf('x'));
  assert.deepEqual(host.run(['resume', 'x']), SILENT);
  assert.equal(status('x'), 'running');
  assert.deepEqual(host.run(['pause', 'x']), SILENT);
  xl('unpause', domainOf('x'));
  assert.equal(status('x'), 'running');
  assert.deepEqual(host.run(['resume', 'x']), failure('container not paused'));
  host.run(['delete', '--force', 'x']);
  await c.exit;
});

test('a pause that was killed before xl did anything: the container runs, and can be paused', async () => {
  const c = await counting('half');
  writeFileSync(host.domainPlaces('half').paused, '');
  assert.equal(status('half'), 'running');
  assert.deepEqual(host.run(['pause', 'half']), SILENT);
  assert.equal(status('half'), 'paused');
  // Here the call was killed after it.
  rmSync(host.domainPlaces('half').paused);
  assert.equal(status('half'), 'paused');
  assert.deepEqual(host.run(['resume', 'half']), SILENT);
  assert.equal(existsSync(host.domainPlaces('half').paused), false);
  host.run(['delete', '--force', 'half']);
  await c.exit;
});

test('an xl that says nothing and does nothing is noticed', async () => {
  const c = await counting('liar');
  host.fault('pause-fails');
  const { status: code, stderr } = host.run(['pause', 'liar']);
  host.fault(undefined);
  assert.deepEqual(
    [code, stderr],
    [1, `domain ${domainOf('liar')} is not paused (see xl list and /var/log/xen)\n`],
  );
  assert.equal(status('liar'), 'running');
  host.run(['delete', '--force', 'liar']);
  await c.exit;
});

test('a domain that is not ours is left alone', async () => {
  const c = await counting('foreign');
  const uuid = `${host.folder}/domains/${domainOf('foreign')}/uuid`;
  const ours = spawnSync('cat', [uuid], { encoding: 'utf8' }).stdout;
  writeFileSync(uuid, '00000000-0000-0000-0000-000000000000\n');
  assert.match(host.run(['pause', 'foreign']).stderr, /^domain \d+ no longer belongs to this container\n$/);
  assert.equal(status('foreign'), 'running');
  writeFileSync(uuid, ours);
  host.run(['delete', '--force', 'foreign']);
  await c.exit;
});

test('a container that was made but not started can be paused; it starts after resume', async () => {
  const c = host.create('early', { bundle: host.script('echo ran') });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['pause', 'early']), SILENT);
  assert.equal(status('early'), 'paused');
  assert.deepEqual(host.run(['start', 'early']), failure('cannot start a container in the paused state'));
  assert.deepEqual(host.run(['resume', 'early']), SILENT);
  assert.equal(status('early'), 'created');
  assert.deepEqual(host.run(['start', 'early']), SILENT);
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), 'ran\n');
  host.run(['delete', 'early']);
});

test('a monitor that hangs does not hang state', async () => {
  const c = await counting('hung');
  const { pid } = JSON.parse(host.run(['state', 'hung']).stdout) as { pid: number };
  process.kill(pid, 'SIGSTOP');
  assert.equal(status('hung'), 'running');
  assert.match(host.run(['pause', 'hung']).stderr, /^the monitor does not answer\n$/);
  process.kill(pid, 'SIGCONT');
  host.run(['delete', '--force', 'hung']);
  await c.exit;
});

test('bad input', () => {
  for (const verb of ['pause', 'resume']) {
    assert.deepEqual(host.run([verb, 'nobody']), failure('container does not exist'));
    assert.deepEqual(host.run([verb]), failure(`${verb} takes ID, got 0 argument(s)`));
    assert.equal(host.run([verb, '../x']).status, 1);
  }
});
