// SPDX-License-Identifier: MIT
// The resources that a container's domain gets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';
import { configJson } from '../fixtures/spec.ts';

const host = new Host();
const namespaces = (configJson().linux as Record<string, unknown>).namespaces;

test('limits and annotations reach the domain', async () => {
  const bundle = host.bundle({
    annotations: { 'org.openembedded.vxn.maxmem': '512', 'org.openembedded.vxn.cpus': '0' },
    linux: {
      namespaces,
      resources: { memory: { limit: 64 << 20 }, cpu: { quota: 50_000, period: 100_000, shares: 2048 } },
    },
  });
  const c = host.create('sized', { bundle });
  assert.equal(await c.created, 0, c.text('stderr'));
  const config = readFileSync(host.domainPlaces('sized').config, 'utf8');
  for (const line of [
    'memory = 160',
    'maxmem = 512',
    'vcpus = 1',
    'cpus = "0"',
    'cpu_weight = 512',
    'cap = 50',
  ])
    assert.ok(config.includes(`\n${line}\n`), `${line} is not in\n${config}`);
  assert.equal(host.run(['delete', '--force', 'sized']).status, 0);
});

const REFUSED: [name: string, change: Record<string, unknown>, text: RegExp][] = [
  [
    'an unknown annotation',
    { annotations: { 'org.openembedded.vxn.memroy': '1' } },
    /did you mean .*\.memory\?/,
  ],
  [
    'one that is not allowed',
    { annotations: { 'org.openembedded.vxn.kernel': '/k' } },
    /add "kernel" to annotations/,
  ],
  [
    'a kernel from elsewhere',
    { vm: { kernel: { path: '/etc/passwd' } } },
    /may not boot \/etc\/passwd on this host/,
  ],
  ['a device tree', { vm: { hwConfig: { deviceTree: '/x' } } }, /vm\.hwConfig\.deviceTree is not supported/],
];
for (const [name, change, text] of REFUSED) {
  test(`create refuses ${name}, and nothing is left`, async () => {
    const c = host.create('refused', { bundle: host.bundle(change) });
    assert.equal(await c.created, 1);
    assert.match(c.text('stderr'), text);
    assert.equal(c.text('stderr').split('\n').length, 2, 'one line');
    assert.deepEqual(await host.leftovers('refused'), []);
  });
}
