// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, DEFAULTS } from '../../src/config/config.ts';
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

function size(
  change: object,
  host: { physical?: number } = { physical: 8 },
  settings: Partial<Config> = {},
): Size {
  const spec = specOf(change as Record<string, unknown>);
  const annotations = Annotations.read(spec.annotations, ['*']);
  return sizeDomain(
    { annotations, vm: spec.vm, limits: spec.limits },
    { ...DEFAULTS, ...settings },
    host.physical,
  );
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
      ...annotated({ memory: '280', vcpus: '2', weight: '7', cap: '30', cpus: '1' }),
      vm: { hwConfig: { memory: 300 * MIB, vcpus: 3 } },
      ...resources({ memory: { limit: MIB }, cpu: { quota: 400_000, shares: 512, cpus: '0-1' } }),
    },
    { ...mem(280), ...cpus(2), weight: 7, cap: 30, cpus: '1' },
  ],
  ['room for more memory', annotated({ maxmem: '512' }), { maxmem: 512 }],
  ['room for more vcpus is no licence to use them', annotated({ maxvcpus: '4' }), { maxvcpus: 4, cap: 100 }],
  ['unless a cap allows it', annotated({ maxvcpus: '4', cap: '400' }), { maxvcpus: 4, cap: 0 }],
  [
    'a quota within the room',
    { ...annotated({ maxvcpus: '4' }), ...cpu({ quota: 150_000 }) },
    { vcpus: 2, maxvcpus: 4, cap: 150 },
  ],
  [
    'annotations as large as the limits',
    {
      ...annotated({ memory: '352', vcpus: '2', weight: '128', cap: '150', cpus: '2,1' }),
      ...resources({ memory: { limit: 256 * MIB }, cpu: { quota: 150_000, shares: 512, cpus: '0-3' } }),
    },
    { ...mem(352), ...cpus(2), weight: 128, cap: 150, cpus: '2,1' },
  ],
  [
    'no cap where the vcpus are the quota',
    { ...annotated({ cap: '0' }), ...cpu({ quota: 200_000 }) },
    { ...cpus(2), cap: 0 },
  ],
  [
    'room beyond the limits, which only update uses',
    {
      ...annotated({ maxmem: '1024', maxvcpus: '4' }),
      ...resources({ memory: { limit: 100 * MIB }, cpu: { quota: 100_000 } }),
    },
    { memory: 196, maxmem: 1024, vcpus: 1, maxvcpus: 4, cap: 100 },
  ],
];
for (const [name, change, differs] of SIZES) {
  test(`size: ${name}`, () => assert.deepEqual(size(change), { ...PLAIN, ...differs }));
}

test('more vcpus than the host, asked for, where the operator allows it', () => {
  assert.deepEqual(size(annotated({ vcpus: '16' }), { physical: 8 }, { maxVcpus: 16 }), {
    ...PLAIN,
    ...cpus(16),
  });
  assert.deepEqual(size({}, { physical: 1 }, { vcpus: 2 }), { ...PLAIN, ...cpus(2) }, "the operator's own");
});

test('a quota beyond maxVcpus gets as much as there is', () => {
  assert.deepEqual(size(cpu({ quota: 400_000 }), { physical: 8 }, { maxVcpus: 2 }), { ...PLAIN, ...cpus(2) });
});

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

const OURS = 'annotation org.openembedded.vxn.';
const LESS = ' (an annotation can only ask for less than config.json grants)';
const UNGRANTED: [name: string, asked: Record<string, string>, granted: object, text: string][] = [
  [
    'memory',
    { memory: '16000' },
    memory(256 * MIB),
    `${OURS}memory asks for 16000 MiB, more than the 352 of linux.resources.memory.limit${LESS}`,
  ],
  [
    'vcpus',
    { vcpus: '2' },
    cpu({ quota: 50_000 }),
    `${OURS}vcpus asks for 2 vcpus, more than the 1 of linux.resources.cpu.quota${LESS}`,
  ],
  [
    'a cap',
    { cap: '51' },
    cpu({ quota: 50_000 }),
    `${OURS}cap asks for 51 percent of a processor, more than the 50 of linux.resources.cpu.quota${LESS}`,
  ],
  [
    'no cap',
    { cap: '0' },
    cpu({ quota: 50_000 }),
    `${OURS}cap (0 for no limit) asks for 100 percent of a processor, more than the 50 of linux.resources`,
  ],
  [
    'no cap, with room for more vcpus',
    { cap: '0', maxvcpus: '4' },
    cpu({ quota: 100_000 }),
    `${OURS}cap (0 for no limit) asks for 400 percent of a processor, more than the 100 of linux.resources`,
  ],
  [
    'a weight',
    { weight: '65535' },
    cpu({ shares: 512 }),
    `${OURS}weight asks for 65535 of weight, more than the 128 of linux.resources.cpu.shares${LESS}`,
  ],
  [
    'processors',
    { cpus: '0-2' },
    cpu({ cpus: '0,2' }),
    `${OURS}cpus asks for processors 0-2, more than the 0,2 of linux.resources.cpu.cpus${LESS}`,
  ],
  [
    'memory of the vm section',
    { memory: '301' },
    { vm: { hwConfig: { memory: 300 * MIB } } },
    `${OURS}memory asks for 301 MiB, more than the 300 of config.json: vm.hwConfig.memory${LESS}`,
  ],
  [
    'vcpus of the vm section',
    { vcpus: '3' },
    { vm: { hwConfig: { vcpus: 2 } } },
    `${OURS}vcpus asks for 3 vcpus, more than the 2 of config.json: vm.hwConfig.vcpus${LESS}`,
  ],
  [
    'no cap, with room for more than the vm section has',
    { maxvcpus: '4', cap: '0' },
    { vm: { hwConfig: { vcpus: 2 } } },
    'asks for 400 percent of a processor, more than the 200 of config.json: vm.hwConfig.vcpus',
  ],
];
for (const [name, asked, granted, text] of UNGRANTED) {
  test(`an annotation does not get more than config.json grants: ${name}`, () =>
    throwsVxn(() => size({ ...annotated(asked), ...granted }), 'INVALID_SPEC', text));
}

const BEYOND: [name: string, settings: Partial<Config>, change: object, text: string][] = [
  [
    'memory by annotation',
    { maxMemory: 1024 },
    annotated({ memory: '1025' }),
    `${OURS}memory asks for 1025 MiB, more than the 1024 of this host (maxMemory in /etc/vxn/vxn.yaml sets the limit)`,
  ],
  [
    'maxmem',
    { maxMemory: 1024 },
    annotated({ maxmem: '2048' }),
    `${OURS}maxmem asks for 2048 MiB, more than the 1024`,
  ],
  [
    'memory of linux.resources',
    { maxMemory: 1024 },
    memory(1024 * MIB),
    'linux.resources.memory.limit asks for 1120 MiB, more than the 1024 of this host (maxMemory',
  ],
  [
    'memory of the vm section',
    { maxMemory: 1024 },
    { vm: { hwConfig: { memory: 1025 * MIB } } },
    'config.json: vm.hwConfig.memory asks for 1025 MiB, more than the 1024 of this host (maxMemory',
  ],
  [
    'vcpus by annotation',
    { maxVcpus: 4 },
    annotated({ vcpus: '5' }),
    `${OURS}vcpus asks for 5 vcpus, more than the 4 of this host (maxVcpus in`,
  ],
  [
    'maxvcpus',
    { maxVcpus: 4 },
    annotated({ maxvcpus: '5' }),
    `${OURS}maxvcpus asks for 5 vcpus, more than the 4`,
  ],
  [
    'vcpus of the vm section',
    { maxVcpus: 4 },
    { vm: { hwConfig: { vcpus: 5 } } },
    'config.json: vm.hwConfig.vcpus asks for 5 vcpus, more than the 4 of this host (maxVcpus',
  ],
  [
    'vcpus by default: the host has 8',
    {},
    annotated({ vcpus: '9' }),
    'asks for 9 vcpus, more than the 8 of this host',
  ],
  [
    'weight by default: that of Dom0',
    {},
    annotated({ weight: '257' }),
    `${OURS}weight asks for 257 of weight, more than the 256 of this host (maxWeight in`,
  ],
  ['weight', { maxWeight: 100 }, annotated({ weight: '101' }), 'more than the 100 of this host (maxWeight'],
];
for (const [name, settings, change, text] of BEYOND) {
  test(`beyond the operator's limit: ${name}`, () =>
    throwsVxn(() => size(change, { physical: 8 }, settings), 'UNSUPPORTED', text));
}

test("the operator's limits themselves can be had, and 0 sets none", () => {
  const settings = { maxMemory: 1024, maxVcpus: 4, maxWeight: 100 };
  const most = { memory: '1024', maxmem: '1024', vcpus: '4', maxvcpus: '4', weight: '100' };
  const atMost = { ...PLAIN, ...mem(1024), ...cpus(4), weight: 100 };
  assert.deepEqual(size(annotated(most), { physical: 8 }, settings), atMost);
  const all = { memory: '16777216', vcpus: '128', weight: '65535' };
  const none = { maxMemory: 0, maxVcpus: 128, maxWeight: 0 };
  const everything = { ...PLAIN, ...mem(16777216), ...cpus(128), weight: 65535 };
  assert.deepEqual(size(annotated(all), { physical: 8 }, none), everything);
});

test("free room in the root is bounded by the operator's limit", () => {
  const asked = (mib: number) => Annotations.read({ 'org.openembedded.vxn.root-free': `${mib}` }, ['*']);
  const refused = (mib: number, settings: Partial<Config>, most: number): void =>
    throwsVxn(
      () => rootFree(asked(mib), false, { ...DEFAULTS, ...settings }),
      'UNSUPPORTED',
      `${OURS}root-free asks for ${mib} MiB, more than the ${most} of this host (maxRootFree in /etc/vxn/vxn.yaml`,
    );
  refused(4097, {}, 4096);
  refused(3_000_000, {}, 4096);
  refused(1025, { maxRootFree: 1024 }, 1024);
  assert.equal(rootFree(asked(4096), true, DEFAULTS), 4096 * MIB);
  assert.equal(rootFree(asked(8000), false, { ...DEFAULTS, rootFree: 8000 }), 8000 * MIB);
  assert.equal(rootFree(asked(8000), false, { ...DEFAULTS, maxRootFree: 0 }), 8000 * MIB);
});

test('room in the root', () => {
  const none = Annotations.read({}, []);
  assert.equal(rootFree(none, false, DEFAULTS), 512 * MIB);
  assert.equal(rootFree(none, true, DEFAULTS), 4 * MIB);
  const some = Annotations.read({ 'org.openembedded.vxn.root-free': '0' }, ['*']);
  assert.equal(rootFree(some, false, DEFAULTS), 0);
});
