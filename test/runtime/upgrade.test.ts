// SPDX-License-Identifier: MIT
// Containers of the build before domains had a state of their own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Created, Host } from '../fixtures/host.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };
const PROGRAM = 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done';

/** A running container whose files are as that build left them: all in the container's folders. */
async function earlier(id: string): Promise<Created> {
  const c = host.create(id, { bundle: host.script(PROGRAM) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', id]), SILENT);
  if (c.text('stdout') === '') await once(c.stdout, 'data');
  const { format: _f, holder, domain: uuid, ...container } = host.stored(id);
  const { name, domid, size } = host.storedDomain(id);
  const [places, domain] = [host.places(id), host.domainPlaces(id)];
  for (const file of ['control.sock', 'requests', 'end.gate'])
    renameSync(`${domain.run}/${file}`, `${places.run}/${file}`);
  const stored = { ...container, uuid, domain: name, domid, size, guest: 'agent', monitor: holder };
  writeFileSync(places.state, JSON.stringify(stored));
  for (const folder of [domain.run, domain.lib]) rmSync(folder, { recursive: true });
  return c;
}

const status = (id: string): string => JSON.parse(host.run(['state', id]).stdout).status;
const REFUSED = 'this container was made by an earlier version of vxn (state, list, ps, kill and';

test('a container of an earlier build is listed, signalled and deleted; the rest refuses it', async () => {
  const c = await earlier('signalled');
  assert.equal(status('signalled'), 'running');
  assert.equal(host.run(['list', '-q']).stdout, 'signalled\n');
  // containerd asks after a restart, and ends a task without processes.
  const { holder } = host.stored('signalled');
  assert.equal(host.run(['ps', '--format', 'json', 'signalled']).stdout, `[${holder?.pid}]\n`);
  const refused: string[][] = [['start'], ['pause'], ['resume'], ['exec'], ['events'], ['logs']];
  for (const [verb = ''] of refused) {
    const words = verb === 'exec' ? [verb, 'signalled', 'true'] : [verb, 'signalled'];
    const { status: code, stderr } = host.run(words);
    assert.notEqual(code, 0, verb);
    assert.ok(stderr.includes(REFUSED), `${verb}: ${stderr}`);
  }
  assert.deepEqual(host.run(['kill', 'signalled', 'TERM']), SILENT);
  assert.equal(await c.exit, 9);
  assert.equal(status('signalled'), 'stopped');
  assert.deepEqual(host.run(['delete', 'signalled']), SILENT);
  assert.deepEqual(await host.leftovers('signalled'), []);
});

test('a container of an earlier build that is killed: its domain goes with delete', async () => {
  const c = await earlier('killed');
  assert.deepEqual(host.run(['kill', 'killed', 'KILL']), SILENT);
  assert.equal(await c.exit, 137);
  assert.deepEqual(host.run(['delete', 'killed']), SILENT);
  assert.deepEqual(await host.leftovers('killed'), []);
});

test('delete --force takes a running container of an earlier build', async () => {
  const c = await earlier('forced');
  assert.match(host.run(['delete', 'forced']).stderr, /that is not stopped: running/);
  // A delete of that build that was killed has left a file where a hold is a folder now.
  writeFileSync(host.places('forced').deleting, '{"pid":1,"startTime":"1"}');
  assert.deepEqual(host.run(['delete', '--force', 'forced']), SILENT);
  assert.equal(await c.exit, 137);
  assert.deepEqual(await host.leftovers('forced'), []);
});
