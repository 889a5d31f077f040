// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseBytes, UPDATE_FLAGS, wantedResources } from '../../src/cli/update-arguments.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const MIB = 1 << 20;
const CALLER = { cwd: '/no/such', fds: [0, 1, 2] } as const;
const wanted = (options: ReadonlyMap<string, string>) => wantedResources(CALLER, options);

const BYTES: [text: string, bytes: number | undefined][] = [
  ['-1', -1],
  ['0', 0],
  ['1048576', MIB],
  ['512m', 512 * MIB],
  ['512M', 512 * MIB],
  ['1.5GiB', 1536 * MIB],
  ['2gb', 2048 * MIB],
  ['10b', 10],
  ['3 k', 3072],
  ['1t', 2 ** 40],
  ['', undefined],
  ['m', undefined],
  ['-5', undefined],
  ['1x', undefined],
  ['99999999999p', undefined],
];
for (const [text, bytes] of BYTES) test(`bytes "${text}"`, () => assert.equal(parseBytes(text), bytes));

test("runc's flags become linux.resources", () => {
  const options = new Map([
    ['memory', '64m'],
    ['cpu-share', '512'],
    ['cpu-quota', '-1'],
    ['cpuset-cpus', '0-1'],
    ['pids-limit', '5'],
  ]);
  assert.deepEqual(wanted(options), {
    memory: { limit: 64 * MIB },
    cpu: { shares: 512, quota: -1, cpus: '0-1' },
    pids: { limit: 5 },
  });
  for (const flag of UPDATE_FLAGS) assert.doesNotThrow(() => wanted(new Map([[flag, '1']])));
  throwsVxn(() => wanted(new Map([['cpu-share', 'many']])), 'USAGE', 'invalid value for cpu-share: "many"');
  throwsVxn(() => wanted(new Map()), 'USAGE', 'update needs --resources FILE or a limit');
});

test('--resources: what is no JSON object', () => {
  const file = join(temporaryFolder(), 'r.json');
  const read = (text: string) => {
    writeFileSync(file, text);
    return wanted(
      new Map([
        ['resources', file],
        ['memory', 'ignored'],
      ]),
    );
  };
  assert.deepEqual(read('{"cpu":{"shares":3}}'), { cpu: { shares: 3 } });
  for (const text of ['', '{', '[]', 'null', '5'])
    throwsVxn(() => read(text), 'USAGE', `--resources ${file}: `);
  throwsVxn(() => read(`{"x":"${'y'.repeat(1 << 20)}"}`), 'USAGE', 'more than 1 MiB');
  throwsVxn(() => wanted(new Map([['resources', '/no/such']])), 'USAGE', '--resources /no/such: ENOENT');
});

test('--resources: a relative path starts from the caller, and - is its standard input', () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'r.json'), '{"cpu":{"shares":7}}');
  const stdin = openSync(join(cwd, 'r.json'), 'r');
  const read = (source: string) =>
    wantedResources({ cwd, fds: [stdin, 1, 2] }, new Map([['resources', source]]));
  assert.deepEqual(read('r.json'), { cpu: { shares: 7 } });
  assert.deepEqual(read('-'), { cpu: { shares: 7 } });
  // It is the caller's, and left open.
  closeSync(stdin);
});
