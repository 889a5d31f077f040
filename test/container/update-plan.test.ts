// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import { checkUpdatable, planUpdate } from '../../src/container/update-plan.ts';
import type { Limits } from '../../src/spec/resources.ts';
import type { Size } from '../../src/xen/domain-config.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const SIZE: Size = { memory: 256, maxmem: 512, vcpus: 1, maxvcpus: 4, cpus: '', weight: undefined, cap: 100 };
const NONE: Limits = {
  memory: undefined,
  cpuQuota: undefined,
  cpuPeriod: undefined,
  cpuShares: undefined,
  cpus: undefined,
};
const plan = (wanted: Record<string, unknown>, limits: Partial<Limits> = {}) =>
  planUpdate(SIZE, { ...NONE, ...limits }, wanted, DEFAULTS, 4);
const memory = (limit: number) => ({ memory: { limit } });
const cpu = (c: object) => ({ cpu: c });

const PLANS: [
  name: string,
  wanted: Record<string, unknown>,
  size: Partial<Size>,
  named: string[],
  limits?: Partial<Limits>,
][] = [
  ['nothing', {}, {}, []],
  [
    'zeros and absent values leave all as it is',
    { memory: { limit: 0 }, cpu: { quota: 0, shares: 0, cpus: '' } },
    {},
    [],
  ],
  ['memory: the limit and the overhead', memory(128 * MIB), { memory: 224 }, ['memory']],
  ['memory without a limit: all there can be', memory(-1), { memory: 512 }, ['memory']],
  ['quota and period', cpu({ quota: 150_000, period: 100_000 }), { vcpus: 2, cap: 150 }, ['vcpus', 'share']],
  ['all processors', cpu({ quota: 400_000, period: 100_000 }), { vcpus: 4, cap: 0 }, ['vcpus', 'share']],
  [
    'a quota with the period of before',
    cpu({ quota: 50_000 }),
    { vcpus: 1, cap: 100 },
    ['vcpus', 'share'],
    { cpuPeriod: 50_000 },
  ],
  [
    'a period with the quota of before',
    cpu({ period: 25_000 }),
    { vcpus: 2, cap: 200 },
    ['vcpus', 'share'],
    { cpuQuota: 50_000 },
  ],
  ['a period without any quota', cpu({ period: 25_000 }), {}, []],
  [
    'no quota any more: all there can be',
    cpu({ quota: -1 }),
    { vcpus: 4, cap: 0 },
    ['vcpus', 'share'],
    { cpuQuota: 50_000 },
  ],
  ['shares', cpu({ shares: 2048 }), { weight: 512 }, ['share']],
  ['processors', cpu({ cpus: '1-2' }), { cpus: '1-2' }, ['cpus']],
];
for (const [name, wanted, size, named, limits] of PLANS) {
  test(`update: ${name}`, () => {
    const update = plan(wanted, limits);
    assert.deepEqual(update.size, { ...SIZE, ...size });
    const flags = (['memory', 'vcpus', 'share', 'cpus'] as const).filter((flag) => update[flag]);
    assert.deepEqual(flags, named);
  });
}

test('limits are remembered for the next update', () => {
  const first = plan({
    memory: { limit: 100 * MIB },
    cpu: { quota: 50_000, period: 50_000, shares: 5, cpus: '0' },
  });
  assert.deepEqual(first.limits, {
    memory: 100 * MIB,
    cpuQuota: 50_000,
    cpuPeriod: 50_000,
    cpuShares: 5,
    cpus: '0',
  });
  assert.deepEqual(plan({}, first.limits).limits, first.limits);
});

test('beyond: more memory than the domain can have', () =>
  throwsVxn(
    () => plan(memory(500 * MIB)),
    'UNSUPPORTED',
    "memory of 596 MiB (the limit and the guest's own) is more than this container's domain can have, which is 512 MiB (annotation org.openembedded.vxn.maxmem sets the maximum",
  ));
test('beyond: more vcpus than the domain has are refused', () => {
  const small = { ...SIZE, maxvcpus: 1 };
  throwsVxn(
    () => planUpdate(small, NONE, cpu({ quota: 200_000 }), DEFAULTS, 4),
    'UNSUPPORTED',
    "2 vcpus is more than this container's domain can have, which is 1 (annotation org.openembedded.vxn.maxvcpus",
  );
});
test("a quota beyond the operator's maxVcpus gets as much as there is", () => {
  const { size } = planUpdate(SIZE, NONE, cpu({ quota: 400_000 }), { ...DEFAULTS, maxVcpus: 2 }, 4);
  assert.deepEqual([size.vcpus, size.maxvcpus, size.cap], [2, 4, 200]);
});
test('beyond: a processor that is not there', () =>
  throwsVxn(() => plan(cpu({ cpus: '4' })), 'INVALID_SPEC', 'no processor 4'));
test('wrong values', () => {
  throwsVxn(() => plan({ memory: { limit: '1g' } }), 'INVALID_SPEC', 'memory.limit must be an integer');
  throwsVxn(() => plan({ cpu: [] }), 'INVALID_SPEC', 'cpu must be an object');
  throwsVxn(() => plan(cpu({ cpus: 'x' })), 'INVALID_SPEC', 'must be a list of processors');
});

const BEFORE = {
  devices: [{ allow: false, access: 'rwm' }],
  pids: { limit: 100 },
  unified: { 'memory.high': '1' },
  cpu: { burst: 5 },
};
const TAKEN: [name: string, wanted: Record<string, unknown>][] = [
  ['nothing', {}],
  ['what vxn does', { memory: { limit: 1 }, cpu: { quota: 1, period: 1, shares: 1, cpus: '0' } }],
  [
    'what a machine can be without',
    { memory: { swap: 5, reservation: 1, checkBeforeUpdate: true }, cpu: { mems: '0' } },
  ],
  ['what was so before', BEFORE],
  [
    'values that ask for nothing',
    { pids: { limit: 0 }, blockIO: {}, hugepageLimits: null, cpu: { idle: 0 }, rdma: {} },
  ],
  ['unlimited', { pids: { limit: -1 } }],
  ['devices, as with runc', { devices: [] }],
];
for (const [name, wanted] of TAKEN) test(`taken: ${name}`, () => checkUpdatable(wanted, BEFORE));

const REFUSED: [wanted: Record<string, unknown>, property: string][] = [
  [{ pids: { limit: 5 } }, 'pids'],
  [{ blockIO: { weight: 10 } }, 'blockIO'],
  [{ unified: { 'memory.high': '2' } }, 'unified'],
  [{ cpu: { burst: 6 } }, 'cpu.burst'],
  [{ cpu: { shares: 1, realtimeRuntime: 5 } }, 'cpu.realtimeRuntime'],
  [{ memory: { limt: 5 } }, 'memory.limt'],
  [{ memroy: { limit: 5 } }, 'memroy'],
];
for (const [wanted, property] of REFUSED) {
  test(`refused: ${property}`, () =>
    throwsVxn(
      () => checkUpdatable(wanted, BEFORE),
      'UNSUPPORTED',
      `update: ${property} cannot be changed (memory.limit and`,
    ));
}
