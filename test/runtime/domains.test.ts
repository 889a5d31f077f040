// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Host, STATE_ROOT } from '../fixtures/host.ts';

const host = new Host();
const FOREVER = 'while :; do sleep 1; done';
const rows = (): Record<string, unknown>[] => JSON.parse(host.run(['domains', '--format', 'json']).stdout);

test('domains: each with its containers, of every root, until delete', async () => {
  assert.deepEqual(rows(), []);
  const a = host.create('a', { bundle: host.script(FOREVER) });
  const b = host.create('b', { bundle: host.script('exit 0'), root: '/run/other' });
  assert.deepEqual([await a.created, await b.created], [0, 0]);
  const { uuid, name, domid } = host.storedDomain('a');
  const row = rows().find((r) => r.uuid === uuid);
  assert.deepEqual(row, {
    uuid,
    name,
    domid,
    kind: 'agent',
    status: 'running',
    memory: host.config.memory,
    vcpus: 1,
    containers: [{ root: STATE_ROOT, id: 'a' }],
  });
  assert.equal(rows().length, 2);
  const table = host.run(['domains']).stdout;
  assert.match(table, new RegExp(`^${name} +${domid} +agent +running .*${uuid} +${STATE_ROOT}/a$`, 'm'));
  assert.match(table, /\/run\/other\/b$/m);
  host.run(['kill', 'a', 'KILL']);
  assert.equal(await a.exit, 137);
  assert.equal(rows().find((r) => r.uuid === uuid)?.status, 'ended');
  host.run(['delete', 'a']);
  host.run(['delete', '--force', 'b'], { root: '/run/other' });
  assert.deepEqual(rows(), []);
  assert.deepEqual(await host.leftovers('a'), []);
});
