// SPDX-License-Identifier: MIT
// A runtime call can be killed at any instant, and two calls can come at once.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from '../fixtures/host.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };

function stamped(id: string, phase: string): boolean {
  try {
    return readFileSync(host.places(id).timeline, 'utf8').includes(` ${phase}\n`);
  } catch {
    return false;
  }
}

/** Kills a call as soon as it has passed phase. Gives true when it was still running then. */
async function killAt(args: string[], id: string, phase: string): Promise<boolean> {
  const { child } = host.begin(args);
  const ended = new Promise<boolean>((resolve) => {
    child.on('exit', (_, signal) => resolve(signal === 'SIGKILL'));
  });
  const deadline = Date.now() + 20_000;
  while (!stamped(id, phase) && child.exitCode === null && Date.now() < deadline) await sleep(1);
  child.kill('SIGKILL');
  return ended;
}

const CREATE_PHASES = [
  'create.begin',
  'disk.begin',
  'disk.end',
  'xl-create.begin',
  'xl-create.end',
  'monitor.ready',
];
for (const [i, phase] of CREATE_PHASES.entries()) {
  test(`create killed at ${phase}: delete --force leaves nothing`, async () => {
    const id = `c${i}`;
    host.fault(phase === 'xl-create.begin' ? 'create-slow' : undefined);
    const killed = await killAt(['create', '--bundle', host.bundle(), id], id, phase);
    // The last phases are over so quickly that the call may have come to its end.
    if (i < 4) assert.ok(killed, `killed at ${phase}`);
    const { status, stdout } = host.run(['state', id]);
    if (status === 0) assert.match(stdout, /"(stopped|created)"/);
    assert.deepEqual(host.run(['delete', '--force', id]), SILENT);
    host.fault(undefined);
    assert.deepEqual(await host.leftovers(id), []);
    assert.deepEqual(host.run(['delete', '--force', id]), SILENT);
  });
}

test('create killed while mke2fs or xl works: plain delete copes as well', async () => {
  host.fault('create-slow');
  await killAt(['create', '--bundle', host.bundle(), 'plain'], 'plain', 'xl-create.begin');
  assert.deepEqual(host.run(['delete', 'plain']), SILENT);
  host.fault(undefined);
  assert.deepEqual(await host.leftovers('plain'), []);
});

for (const phase of ['start.begin', 'start.sent']) {
  test(`start killed at ${phase}: delete --force leaves nothing`, async () => {
    const c = host.create(phase, { bundle: host.script('sleep 60') });
    assert.equal(await c.created, 0);
    await killAt(['start', phase], phase, phase);
    assert.deepEqual(host.run(['delete', '--force', phase]), SILENT);
    await c.exit;
    assert.deepEqual(await host.leftovers(phase), []);
  });
}

test('start killed at its beginning: the next one starts the program, or says that it was started', async () => {
  const c = host.create('again', { bundle: host.script('exit 6') });
  assert.equal(await c.created, 0);
  await killAt(['start', 'again'], 'again', 'start.begin');
  const again = host.run(['start', 'again']);
  if (again.status === 0) assert.equal(await c.exit, 6);
  else assert.match(again.stderr, /^cannot start /);
  assert.deepEqual(host.run(['delete', '--force', 'again']), SILENT);
  await c.exit;
  assert.deepEqual(await host.leftovers('again'), []);
});

for (const phase of ['delete.begin', 'delete.end']) {
  test(`delete killed at ${phase}: the next one finishes`, async () => {
    const c = host.create(phase, { bundle: host.script('sleep 60') });
    assert.equal(await c.created, 0);
    assert.deepEqual(host.run(['start', phase]), SILENT);
    await killAt(['delete', '--force', phase], phase, phase);
    assert.deepEqual(host.run(['delete', '--force', phase]), SILENT);
    await c.exit;
    assert.deepEqual(await host.leftovers(phase), []);
  });
}

test('a folder without state, as a create killed at its very beginning leaves it', async () => {
  const places = host.places('empty');
  mkdirSync(places.run, { recursive: true });
  assert.deepEqual(host.run(['state', 'empty']), {
    status: 1,
    stdout: '',
    stderr: 'container does not exist\n',
  });
  assert.deepEqual(host.run(['delete', '--force', 'empty']), SILENT);
  assert.deepEqual(await host.leftovers('empty'), []);
});

test('creates of one id at the same time: one wins, the others say why', async () => {
  const bundle = host.script('exit 9');
  const all = [1, 2, 3].map(() => host.create('race', { bundle }));
  const statuses = await Promise.all(all.map((c) => c.created));
  assert.deepEqual([...statuses].sort(), [0, 1, 1]);
  for (const [i, c] of all.entries()) {
    if (statuses[i] === 0) continue;
    await c.exit;
    assert.equal(c.text('stderr'), 'container with given ID already exists\n');
  }
  assert.deepEqual(host.run(['start', 'race']), SILENT);
  assert.equal(await all[statuses.indexOf(0)]?.exit, 9);
  assert.deepEqual(host.run(['delete', 'race']), SILENT);
  assert.deepEqual(await host.leftovers('race'), []);
});

test('two starts at the same time: the program runs once', async () => {
  const c = host.create('starts', { bundle: host.script('echo ran; read x') });
  assert.equal(await c.created, 0);
  const results = await Promise.all([
    host.begin(['start', 'starts']).result,
    host.begin(['start', 'starts']).result,
  ]);
  assert.deepEqual(results.map((r) => r.status).sort(), [0, 1]);
  assert.equal(results.find((r) => r.status === 1)?.stderr, 'cannot start an already running container\n');
  c.stdin.end();
  await c.exit;
  assert.equal(c.text('stdout'), 'ran\n');
  assert.deepEqual(host.run(['delete', 'starts']), SILENT);
});

test('two deletes at the same time: nothing left, no crash', async () => {
  const c = host.create('deletes', { bundle: host.script('sleep 60') });
  assert.equal(await c.created, 0);
  const results = await Promise.all([1, 2].map(() => host.begin(['delete', '--force', 'deletes']).result));
  for (const r of results) assert.deepEqual(r, SILENT);
  await c.exit;
  assert.deepEqual(await host.leftovers('deletes'), []);
});

test('a delete that comes late leaves alone what has taken the id meanwhile', async () => {
  const poststop = [{ path: '/bin/sleep', args: ['sleep', '1'] }];
  const old = host.create('reused', { bundle: host.script('sleep 60', { hooks: { poststop } }) });
  assert.equal(await old.created, 0);
  const first = host.begin(['delete', 'reused']);
  while (!existsSync(host.places('reused').deleting)) await sleep(1);
  const late = host.begin(['delete', '--force', 'reused']);
  assert.deepEqual(await first.result, SILENT);
  const c = host.create('reused', { bundle: host.script('exit 8') });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(await late.result, SILENT);
  assert.deepEqual(host.run(['start', 'reused']), SILENT);
  assert.equal(await c.exit, 8);
  assert.deepEqual(host.run(['delete', 'reused']), SILENT);
  assert.deepEqual(await host.leftovers('reused'), []);
});

test('a delete that was killed while it held the container is followed by another', async () => {
  const c = host.create('held', { bundle: host.script('sleep 60') });
  assert.equal(await c.created, 0);
  mkdirSync(host.places('held').deleting);
  // No process of ours began at that time.
  writeFileSync(`${host.places('held').deleting}/${process.pid}-1`, '');
  assert.deepEqual(host.run(['delete', '--force', 'held']), SILENT);
  await c.exit;
  assert.deepEqual(await host.leftovers('held'), []);
});

test('disks that a power cut has left go with the first container after the boot', async () => {
  const lost = host.places('lost', '/run/boot');
  mkdirSync(lost.lib, { recursive: true });
  writeFileSync(lost.rootDisk, 'old');
  const c = host.create('first', { root: '/run/boot', bundle: host.script('exit 0') });
  assert.equal(await c.created, 0);
  assert.equal(existsSync(lost.lib), false);
  assert.deepEqual(host.run(['delete', 'first'], { root: '/run/boot' }), SILENT);
  await c.exit;
});

test('delete --force while create is at work', async () => {
  host.fault('create-slow');
  const creating = host.begin(['create', '--bundle', host.bundle(), 'busy']);
  while (!stamped('busy', 'xl-create.begin')) await sleep(1);
  const plain = host.run(['delete', 'busy']);
  assert.deepEqual(plain, {
    status: 1,
    stdout: '',
    stderr: 'cannot delete container busy that is not stopped: creating\n',
  });
  assert.equal(JSON.parse(host.run(['state', 'busy']).stdout).status, 'creating');
  assert.deepEqual(host.run(['delete', '--force', 'busy']), SILENT);
  host.fault(undefined);
  const { status } = await creating.result;
  assert.notEqual(status, 0);
  assert.deepEqual(await host.leftovers('busy'), []);
});

test('one id under two roots: two containers', async () => {
  const [a, b] = ['/run/a', '/run/b'];
  const one = host.create('same', { root: a, bundle: host.script('exit 1') });
  const two = host.create('same', { root: b, bundle: host.script('exit 2') });
  assert.deepEqual([await one.created, await two.created], [0, 0]);
  assert.equal(host.domains().length, 2);
  assert.deepEqual(host.run(['start', 'same'], { root: b }), SILENT);
  assert.equal(await two.exit, 2);
  assert.equal(JSON.parse(host.run(['state', 'same'], { root: a }).stdout).status, 'created');
  assert.deepEqual(host.run(['delete', 'same'], { root: b }), SILENT);
  assert.equal(host.run(['list', '-q'], { root: a }).stdout, 'same\n');
  assert.deepEqual(host.run(['start', 'same'], { root: a }), SILENT);
  assert.equal(await one.exit, 1);
  assert.deepEqual(host.run(['delete', 'same'], { root: a }), SILENT);
  for (const root of [a, b]) assert.deepEqual(await host.leftovers('same', root), []);
});

test('several containers at once do not get into each other’s way', async () => {
  const ids = [1, 2, 3, 4].map((n) => `p${n}`);
  const made = ids.map((id) => host.create(id, { bundle: host.script(`echo ${id}; exit ${id.slice(1)}`) }));
  assert.deepEqual(await Promise.all(made.map((c) => c.created)), [0, 0, 0, 0]);
  await Promise.all(ids.map((id) => host.begin(['start', id]).result));
  assert.deepEqual(await Promise.all(made.map((c) => c.exit)), [1, 2, 3, 4]);
  assert.deepEqual(
    made.map((c) => c.text('stdout')),
    ids.map((id) => `${id}\n`),
  );
  const results = await Promise.all(ids.map((id) => host.begin(['delete', id]).result));
  for (const r of results) assert.deepEqual(r, SILENT);
  assert.deepEqual(host.domains(), []);
});

test('a long id, and one of two that differ only at their end', async () => {
  const ids = ['a', 'b'].map((end) => 'f'.repeat(200) + end);
  const made = ids.map((id, i) => host.create(id, { bundle: host.script(`exit ${i + 20}`) }));
  assert.deepEqual(await Promise.all(made.map((c) => c.created)), [0, 0]);
  for (const id of ids) assert.deepEqual(host.run(['start', id]), SILENT);
  assert.deepEqual(await Promise.all(made.map((c) => c.exit)), [20, 21]);
  for (const id of ids) assert.deepEqual(host.run(['delete', id]), SILENT);
});
