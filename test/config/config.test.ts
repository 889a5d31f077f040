// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkConfig, DEFAULTS, loadConfig } from '../../src/config/config.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

test('nothing set: the defaults', () => {
  assert.deepEqual(checkConfig({}, 'f'), DEFAULTS);
  assert.deepEqual(checkConfig(null, 'f'), DEFAULTS);
  assert.deepEqual(checkConfig({ memory: 512 }, 'f'), { ...DEFAULTS, memory: 512 });
  const lists = { annotations: ['max*', 'kernel'], hostPaths: [] };
  assert.deepEqual(checkConfig(lists, 'f'), { ...DEFAULTS, ...lists });
});

test('limits as large as the sizes, limits of 0, and a size beyond a limit that only the default sets', () => {
  const settings = [
    { memory: 512, maxMemory: 512, vcpus: 2, maxVcpus: 2, rootFree: 9, maxRootFree: 9 },
    { maxMemory: 0, maxVcpus: 0, maxRootFree: 0, maxWeight: 0 },
    { rootFree: 5000 },
  ];
  for (const value of settings) assert.deepEqual(checkConfig(value, 'f'), { ...DEFAULTS, ...value });
});

const BAD: [value: unknown, text: string][] = [
  [[], 'f: must hold key: value pairs'],
  ['x', 'f: must hold key: value pairs'],
  [{ memroy: 1 }, 'f: unknown key "memroy"'],
  [{ toString: 1 }, 'f: unknown key "toString"'],
  [{ memory: '1' }, 'f: memory must be a number'],
  [{ memory: 1.5 }, 'f: memory must be a whole number'],
  [{ memory: -1 }, 'f: memory must be a whole number'],
  [{ xl: null }, 'f: xl must be a string'],
  [{ annotations: 'memory' }, 'f: annotations must be a list of strings'],
  [{ annotations: ['memory', 1] }, 'f: annotations must be a list of strings'],
  [{ annotations: ['memroy'] }, 'f: annotations: there is no annotation "memroy"'],
  [{ annotations: ['org.openembedded.vxn.memory'] }, 'f: annotations: there is no annotation "org.'],
  [{ hostPaths: null }, 'f: hostPaths must be a list of strings'],
  [{ hostPaths: ['boot/*'] }, 'f: hostPaths: "boot/*" must begin with /'],
  [{ maxMemory: '4g' }, 'f: maxMemory must be a number'],
  [{ memory: 512, maxMemory: 511 }, 'f: memory is 512, more than maxMemory, which is 511'],
  [{ maxMemory: 128 }, 'f: memory is 256, more than maxMemory, which is 128'],
  [{ vcpus: 3, maxVcpus: 2 }, 'f: vcpus is 3, more than maxVcpus, which is 2'],
  [{ rootFree: 5000, maxRootFree: 4096 }, 'f: rootFree is 5000, more than maxRootFree, which is 4096'],
  [{ guestType: 'hvm' }, 'f: guestType must be pv or pvh'],
  [{ runDir: '/run/vxn-and-more' }, 'f: runDir must be at most 15 bytes long'],
];
for (const [value, text] of BAD) {
  test(`refused: ${JSON.stringify(value)}`, () =>
    throwsVxn(() => checkConfig(value, 'f'), 'INVALID_CONFIG', text));
}

const noYaml = (): never => assert.fail('the YAML parser was called');

test('$VXN_CONFIG names a JSON file, for which no YAML parser is needed', () => {
  const file = join(temporaryFolder(), 'c.json');
  writeFileSync(file, '{ "vcpus": 3 }');
  assert.equal(loadConfig('1', noYaml, { VXN_CONFIG: file }).vcpus, 3);
  writeFileSync(file, '{');
  throwsVxn(() => loadConfig('1', noYaml, { VXN_CONFIG: file }), 'INVALID_CONFIG', file);
  throwsVxn(() => loadConfig('1', noYaml, { VXN_CONFIG: `${file}.no` }), 'INVALID_CONFIG', 'ENOENT');
});
