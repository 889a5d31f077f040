// SPDX-License-Identifier: MIT
// What the command line of `npm test` chooses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, PARTS, UsageError } from '../../scripts/test/choice.ts';

const isLong = (file: string): boolean => file.includes('/long/');

test('nothing: every part, without the long tests', () => {
  const { parts, unitFiles, e2eFiles, long } = choose([]);
  assert.deepEqual([...parts], [...PARTS]);
  assert.deepEqual([unitFiles, long], [undefined, false]);
  assert.ok(e2eFiles.length > 10);
  assert.deepEqual(e2eFiles.filter(isLong), []);
});

test('all: every part, with the long tests', () => {
  const { parts, e2eFiles, long } = choose(['all']);
  assert.deepEqual([parts.size, long], [PARTS.length, true]);
  assert.ok(e2eFiles.some(isLong));
  assert.ok(e2eFiles.length > choose([]).e2eFiles.length);
});

test('parts, and all of a part', () => {
  assert.deepEqual([...choose(['unit', 'native']).parts], ['unit', 'native']);
  const { parts, long } = choose(['all', 'e2e']);
  assert.deepEqual([[...parts], long], [['e2e'], true]);
});

test('files: by path, by name, by the name of a part where several have it; long ones need no all', () => {
  const one = choose(['e2e', 'network']);
  assert.deepEqual([[...one.parts], one.e2eFiles], [['e2e'], ['test/e2e/network.test.ts']]);
  const two = choose(['test/e2e/run.test.ts', 'oci/ipv4.test.ts']);
  assert.deepEqual([...two.parts], ['e2e', 'unit']);
  assert.deepEqual([two.e2eFiles, two.unitFiles], [['test/e2e/run.test.ts'], ['test/host/ipv4.test.ts']]);
  assert.deepEqual(choose(['lives']).e2eFiles, ['test/e2e/long/lives.test.ts']);
});

test('--reverse turns the order of the files of e2e', () => {
  assert.deepEqual(choose(['--reverse']).e2eFiles, choose([]).e2eFiles.reverse());
  assert.deepEqual(choose(['e2e', 'run', 'exec', '--reverse']).e2eFiles, [
    'test/e2e/exec.test.ts',
    'test/e2e/run.test.ts',
  ]);
});

for (const [argv, message] of [
  [['--backwards'], /unknown option --backwards/],
  [['everything'], /no part and no test file everything/],
  [['network'], /network may be .* or .*: give the path/],
  [['unit', 'lives'], /no part and no test file lives/],
] as const) {
  test(`refused: ${argv.join(' ')}`, () => {
    assert.throws(
      () => choose(argv),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}
