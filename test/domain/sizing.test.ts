// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import { rootFree, sizeDomain } from '../../src/domain/sizing.ts';
import { Annotations } from '../../src/spec/annotations.ts';
import type { Size } from '../../src/xen/domain-config.ts';
import { specOf } from '../fixtures/spec.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const resources = (r: object): object => ({ linux: { resources: r } });
const memory = (limit: number): object => resources({ memory: { limit } });
const cpu = (c: object): object => resources({ cpu: c });
const annotated = (a: Record<string, string>): object => ({
  annotations: Object.fromEntries(Object.entries(a).map(([k, v]) => [`org.openembedded.vxn.${k}`, v])),
});

function size(change: object, host: { physical?: number } = { physical: 8 }): Size {
  const spec = specOf(change as Record<string, unknown>);
  const annotations = Annotations.read(spec.annotations, ['*']);
  return sizeDomain({ annotations, vm: spec.vm, limits: spec.limits }, DEFAULTS, host.physical);
}

const PLAIN: Size = { memory: 256, maxmem: 256, vcpus: 1, maxvcpus: 1, cpus: '', weight: undefined, cap: 0 };
const mem = (m: number): Partial<Size> => ({ memory: m, maxmem: m });
const cpus = (n: number): Partial<Size> => ({ vcpus: n, maxvcpus: n });

const SIZES: [name: string, change: object, differs: Partial<Size>][] = [
  ['no limits', {}, {}],
  ['memory limit and the guest overhead', memory(100 * MIB), mem(196)],
  ['a limit of part of a MiB', memory(100 * MIB + 1), mem(197)],
  ['a tiny limit', memory(1), mem(97)],
  ['limit -1', memory(-1), {}],
  ['limit 0', memory(0), {}],
  ['the limit that cgroup v1 shows for none', memory(2 ** 63 - 4096), {}],
  ['half a processor', cpu({ quota: 50_000, period: 100_000 }), { cap: 50 }],
  ['a whole processor needs no cap', cpu({ quota: 100_000, period: 100_000 }), {}],
  ['one and a half', cpu({ quota: 150_000, period: 100_000 }), { ...cpus(2), cap: 150 }],
  ['a quota without a period', cpu({ quota: 400_000 }), cpus(4)],
  ['a very small quota', cpu({ quota: 1, period: 100_000 }), { cap: 1 }],
  ['quota -1', cpu({ quota: -1, period: 100_000 }), {}],
  ['more than the host has', cpu({ quota: 1e9, period: 1000 }), cpus(8)],
  ['ordinary shares', cpu({ shares: 1024 }), { weight: 256 }],
  ['few shares', cpu({ shares: 2 }), { weight: 1 }],
  ['many shares', cpu({ shares: 262_144 }), { weight: 65535 }],
  ['no shares', cpu({ shares: 0 }), {}],
  ['a cpuset', cpu({ cpus: '0-3,6' }), { cpus: '0-3,6' }],
  ['an empty cpuset', cpu({ cpus: '' }), {}],
  ['vm.hwConfig', { vm: { hwConfig: { memory: 300 * MIB, vcpus: 3 } } }, { ...mem(300), ...cpus(3) }],
  [
    'vm before resources',
    {
      vm: { hwconfig: { memory: 300 * MIB, vcpus: 3 } },
      ...resources({ memory: { limit: MIB }, cpu: { quota: 50_000 } }),
    },
    { ...mem(300), ...cpus(3), cap: 50 },
  ],
  [
    'annotations before vm and resources',
    {
      ...annotated({ memory: '1024', vcpus: '2', weight: '7', cap: '30', cpus: '1' }),
      vm: { hwConfig: { memory: 300 * MIB, vcpus: 3 } },
      ...resources({ memory: { limit: MIB }, cpu: { quota: 400_000, shares: 512, cpus: '0' } }),
    },
    { ...mem(1024), ...cpus(2), weight: 7, cap: 30, cpus: '1' },
  ],
  ['room for more memory', annotated({ maxmem: '512' }), { maxmem: 512 }],
  ['room for more vcpus is no licence to use them', annotated({ maxvcpus: '4' }), { maxvcpus: 4, cap: 100 }],
  ['unless a cap allows it', annotated({ maxvcpus: '4', cap: '400' }), { maxvcpus: 4, cap: 0 }],
  [
    'a quota within the room',
    { ...annotated({ maxvcpus: '4' }), ...cpu({ quota: 150_000 }) },
    { vcpus: 2, maxvcpus: 4, cap: 150 },
  ],
  ['more vcpus than the host, asked for', annotated({ vcpus: '16' }), cpus(16)],
];
for (const [name, change, differs] of SIZES) {
  test(`size: ${name}`, () => assert.deepEqual(size(change), { ...PLAIN, ...differs }));
}

test('a host that does not say how many processors it has', () => {
  assert.equal(size(cpu({ quota: 1e9, period: 1000 }), {}).vcpus, 128);
  assert.equal(size(cpu({ cpus: '100' }), {}).cpus, '100');
});

const REFUSED: [name: string, change: object, text: string][] = [
  [
    'maxmem below memory',
    annotated({ memory: '256', maxmem: '128' }),
    'annotation maxmem is 128, less than the 256',
  ],
  [
    'maxvcpus below vcpus',
    annotated({ vcpus: '4', maxvcpus: '2' }),
    'annotation maxvcpus is 2, less than the 4',
  ],
  [
    'a processor that is not there',
    cpu({ cpus: '0,8' }),
    'there is no processor 8 to run on (Xen has 8 here',
  ],
  ['the same by annotation', annotated({ cpus: '7-9' }), 'there is no processor 9 to run on'],
  ['very much memory', memory(2 ** 60), 'linux.resources.memory.limit asks for 1099511627872 MiB'],
  [
    'too little memory for a machine',
    { vm: { hwConfig: { memory: 1 } } },
    'vm.hwConfig.memory asks for 1 MiB (a domain has from 64',
  ],
  [
    'too many vcpus',
    { vm: { hwConfig: { vcpus: 4096 } } },
    '4096 vcpus were asked for (1 to 128 are possible)',
  ],
];
for (const [name, change, text] of REFUSED) {
  test(`refused: ${name}`, () => throwsVxn(() => size(change), 'INVALID_SPEC', text));
}

test('room in the root', () => {
  const none = Annotations.read({}, []);
  assert.equal(rootFree(none, false, DEFAULTS), 512 * MIB);
  assert.equal(rootFree(none, true, DEFAULTS), 4 * MIB);
  const some = Annotations.read({ 'org.openembedded.vxn.root-free': '0' }, ['*']);
  assert.equal(rootFree(some, false, DEFAULTS), 0);
});
