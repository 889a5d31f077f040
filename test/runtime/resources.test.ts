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

// podman hands on the annotations of an image.
const FROM_IMAGE = {
  memory: [
    '16000',
    /annotation \S+memory asks for 16000 MiB, more than the 352 of linux\.resources\.memory\.limit/,
  ],
  weight: [
    '65535',
    /annotation \S+weight asks for 65535 of weight, more than the 256 of linux\.resources\.cpu\.shares/,
  ],
  cap: [
    '0',
    /annotation \S+cap .* 100 percent of a processor, more than the 50 of linux\.resources\.cpu\.quota/,
  ],
  vcpus: ['8', /annotation \S+vcpus asks for 8 vcpus, more than the 1 of linux\.resources\.cpu\.quota/],
  cpus: ['1', /annotation \S+cpus asks for processors 1, more than the 0 of linux\.resources\.cpu\.cpus/],
  'root-free': [
    '3000000',
    /annotation \S+root-free asks for 3000000 MiB, more than the 4096 .*maxRootFree in/,
  ],
} as const;
const LIMITED = {
  namespaces,
  resources: {
    memory: { limit: 256 << 20 },
    cpu: { quota: 50_000, period: 100_000, shares: 1024, cpus: '0' },
  },
};
const HOSTILE = Object.entries(FROM_IMAGE).map(([name, [value, text]]): (typeof REFUSED)[number] => [
  `an image that lifts its limits by ${name}`,
  { annotations: { [`org.openembedded.vxn.${name}`]: value }, linux: LIMITED },
  text,
]);

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
  [
    'kernel parameters that are not allowed',
    { vm: { kernel: { parameters: ['init=/bin/sh'] } } },
    /vm\.kernel\.parameters is not allowed on this host \(to allow it, add "cmdline-extra" to annotations/,
  ],
  ['a device tree', { vm: { hwConfig: { deviceTree: '/x' } } }, /vm\.hwConfig\.deviceTree is not supported/],
];
for (const [name, change, text] of [...REFUSED, ...HOSTILE]) {
  test(`create refuses ${name}, and nothing is left`, async () => {
    const c = host.create('refused', { bundle: host.bundle(change) });
    assert.equal(await c.created, 1);
    assert.match(c.text('stderr'), text);
    assert.equal(c.text('stderr').split('\n').length, 2, 'one line');
    assert.deepEqual(await host.leftovers('refused'), []);
  });
}

test("the operator's limits bind the whole container", async () => {
  const bounded = new Host({ maxMemory: 300, maxVcpus: 2, maxRootFree: 32 });
  const refused: [change: Record<string, unknown>, text: RegExp][] = [
    [
      { linux: { namespaces, resources: { memory: { limit: 256 << 20 } } } },
      /memory\.limit asks for 352 MiB, more/,
    ],
    [
      { vm: { hwConfig: { vcpus: 3 } } },
      /vm\.hwConfig\.vcpus asks for 3 vcpus, more than the 2 of this host/,
    ],
    [
      { annotations: { 'org.openembedded.vxn.maxmem': '512' } },
      /asks for 512 MiB, more than the 300 .*maxMemory in/,
    ],
    [
      { annotations: { 'org.openembedded.vxn.root-free': '33' } },
      /asks for 33 MiB, more than the 32 .*maxRootFree/,
    ],
  ];
  for (const [change, text] of refused) {
    const c = bounded.create('bounded', { bundle: bounded.bundle(change) });
    assert.equal(await c.created, 1);
    assert.match(c.text('stderr'), text);
    assert.equal(c.text('stderr').split('\n').length, 2, 'one line');
    assert.deepEqual(await bounded.leftovers('bounded'), []);
  }
  const annotations = { 'org.openembedded.vxn.maxmem': '300', 'org.openembedded.vxn.root-free': '32' };
  const c = bounded.create('bounded', { bundle: bounded.bundle({ annotations }) });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.equal(bounded.run(['delete', '--force', 'bounded']).status, 0);
});
