// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config.ts';
import { sizeDomain } from '../../src/oci/sizing.ts';
import { specOf } from '../fixtures/spec.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const resources = (r: object): object => ({ linux: { resources: r } });
const annotated = (a: Record<string, string>): object => ({
  annotations: Object.fromEntries(Object.entries(a).map(([k, v]) => [`org.openembedded.vxn.${k}`, v])),
});

const SIZES: [name: string, change: object, memory: number, vcpus: number, free: number][] = [
  ['no limits', {}, 256, 1, 512],
  ['memory limit and the guest overhead', resources({ memory: { limit: 100 * MIB } }), 196, 1, 512],
  ['a limit of part of a MiB', resources({ memory: { limit: 100 * MIB + 1 } }), 197, 1, 512],
  ['limit -1', resources({ memory: { limit: -1 } }), 256, 1, 512],
  ['half a processor', resources({ cpu: { quota: 50_000, period: 100_000 } }), 256, 1, 512],
  ['one and a half', resources({ cpu: { quota: 150_000, period: 100_000 } }), 256, 2, 512],
  ['a quota without a period', resources({ cpu: { quota: 400_000 } }), 256, 4, 512],
  ['quota -1', resources({ cpu: { quota: -1, period: 100_000 } }), 256, 1, 512],
  ['very many', resources({ cpu: { quota: 1e9, period: 1000 } }), 256, 128, 512],
  ['a root that is only read', { root: { path: 'r', readonly: true } }, 256, 1, 4],
  [
    'annotations first',
    {
      ...annotated({ memory: '1024', vcpus: '3', 'root-free': '0' }),
      ...resources({ memory: { limit: MIB } }),
    },
    1024,
    3,
    0,
  ],
];
for (const [name, change, memory, vcpus, free] of SIZES) {
  test(`size: ${name}`, () => {
    const size = sizeDomain(specOf(change as Record<string, unknown>), DEFAULTS);
    assert.deepEqual(size, { memory, vcpus, rootFree: free * MIB });
  });
}

for (const [key, value] of [
  ['memory', '63'],
  ['memory', '1G'],
  ['memory', ''],
  ['vcpus', '0'],
  ['vcpus', '129'],
  ['root-free', '-1'],
] as const) {
  test(`annotation ${key}=${JSON.stringify(value)} is refused`, () => {
    const spec = specOf(annotated({ [key]: value }) as Record<string, unknown>);
    throwsVxn(
      () => sizeDomain(spec, DEFAULTS),
      'INVALID_SPEC',
      `annotation org.openembedded.vxn.${key} must be a number from`,
    );
  });
}
