// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuList, parseLimits } from '../../src/spec/resources.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const LISTS: [text: string, cpus: number[] | undefined][] = [
  ['0', [0]],
  ['0-2,5', [0, 1, 2, 5]],
  ['5, 0-2', [0, 1, 2, 5]],
  ['1,1-2,2', [1, 2]],
  ['4095', [4095]],
  ['', undefined],
  ['4096', undefined],
  ['0-4096', undefined],
  ['2-1', undefined],
  ['-1', undefined],
  ['a', undefined],
  ['0,,1', undefined],
  ['99999', undefined],
];
for (const [text, cpus] of LISTS) {
  test(`processors "${text}"`, () => assert.deepEqual(parseCpuList(text), cpus));
}

test('all limits, and none', () => {
  const limits = { memory: 1, cpuQuota: -1, cpuPeriod: 2, cpuShares: 3, cpus: '0' };
  const value = { memory: { limit: 1 }, cpu: { quota: -1, period: 2, shares: 3, cpus: ' 0 ' } };
  assert.deepEqual(parseLimits(value, 'r'), limits);
  const none = {
    memory: undefined,
    cpuQuota: undefined,
    cpuPeriod: undefined,
    cpuShares: undefined,
    cpus: undefined,
  };
  assert.deepEqual(parseLimits({}, 'r'), none);
  assert.deepEqual(parseLimits({ memory: null, cpu: {} }, 'r'), none);
});

const INVALID: [value: Record<string, unknown>, text: string][] = [
  [{ memory: 1 }, 'r.memory must be an object'],
  [{ memory: { limit: '1' } }, 'r.memory.limit must be an integer'],
  [{ memory: { limit: -2 } }, 'r.memory.limit must be from -1'],
  [{ cpu: { shares: -1 } }, 'r.cpu.shares must be from 0'],
  [{ cpu: { period: 1.5 } }, 'r.cpu.period must be an integer'],
  [{ cpu: { cpus: 'all' } }, 'r.cpu.cpus must be a list of processors such as 0-3,6, not "all"'],
];
for (const [value, text] of INVALID) {
  test(`invalid: ${JSON.stringify(value)}`, () =>
    throwsVxn(() => parseLimits(value, 'r'), 'INVALID_SPEC', text));
}
