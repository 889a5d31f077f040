// SPDX-License-Identifier: MIT
// The tables that turn names into the kernel's numbers.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { CAPABILITIES, capabilityBit } from '../../src/spec/capabilities.ts';
import { MOUNT_OPTIONS, parseMountOptions } from '../../src/spec/mount-options.ts';
import { rlimitNumber } from '../../src/spec/rlimits.ts';
import { signalNumber } from '../../src/spec/signals.ts';
import { throwsVxn } from '../fixtures/throws.ts';

test('capabilities: the kernel numbers them from CHOWN 0 to CHECKPOINT_RESTORE 40', () => {
  assert.equal(CAPABILITIES.length, 41);
  const some = {
    CAP_CHOWN: 0,
    CAP_KILL: 5,
    CAP_NET_RAW: 13,
    CAP_SYS_ADMIN: 21,
    CAP_SETFCAP: 31,
    CAP_BPF: 39,
  };
  for (const [name, bit] of Object.entries(some)) assert.equal(capabilityBit(name), 1n << BigInt(bit), name);
  for (const name of ['CHOWN', 'CAP_', '', 'cap_chown', 'CAP_ALL'])
    assert.equal(capabilityBit(name), undefined);
});

test('resource limits: numbers of asm-generic/resource.h', () => {
  const some = { RLIMIT_CPU: 0, RLIMIT_CORE: 4, RLIMIT_NOFILE: 7, RLIMIT_AS: 9, RLIMIT_RTTIME: 15 };
  for (const [name, n] of Object.entries(some)) assert.equal(rlimitNumber(name), n, name);
  for (const name of ['NOFILE', 'RLIMIT_', '', 'rlimit_nofile']) assert.equal(rlimitNumber(name), undefined);
});

test('signals: every name that node knows has its number, with and without SIG, in any case', () => {
  for (const [name, n] of Object.entries(constants.signals)) {
    if (['SIGBREAK', 'SIGLOST', 'SIGUNUSED'].includes(name)) continue;
    for (const text of [name, name.slice(3), name.toLowerCase(), String(n)]) {
      assert.equal(signalNumber(text), n, text);
    }
  }
});

const REALTIME: [string, number][] = [
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['rtmax-1', 63],
  ['SIGRTMAX', 64],
  ['64', 64],
];
for (const [text, n] of REALTIME) test(`signal ${text} is ${n}`, () => assert.equal(signalNumber(text), n));

for (const text of [
  '',
  '0',
  '65',
  '-9',
  '9x',
  'SIG',
  'SIGSIGKILL',
  'RTMIN+31',
  'RTMAX-31',
  'toString',
  '1e1',
  ' 9',
]) {
  test(`signal "${text}" is refused`, () => {
    throwsVxn(() => signalNumber(text), 'USAGE', `unknown signal "${text}"`);
  });
}

const OPTIONS: [options: string[], flags: bigint, propagation: bigint, data: string][] = [
  [[], 0n, 0n, ''],
  [['defaults'], 0n, 0n, ''],
  [['tmpcopyup', 'mode=1777'], 0n, 0n, 'mode=1777'],
  [['nosuid', 'noexec', 'nodev', 'ro'], 15n, 0n, ''],
  [['ro', 'rw'], 0n, 0n, ''],
  [['rbind', 'rprivate'], 4096n | 16384n, (1n << 18n) | 16384n, ''],
  [['nosuid', 'mode=755', 'size=64k'], 2n, 0n, 'mode=755,size=64k'],
  [['strictatime', 'lowerdir=/a:/b'], 1n << 24n, 0n, 'lowerdir=/a:/b'],
  [['newinstance', 'ptmxmode=0666', 'gid=5'], 0n, 0n, 'newinstance,ptmxmode=0666,gid=5'],
  [['toString'], 0n, 0n, 'toString'],
];
for (const [options, flags, propagation, data] of OPTIONS) {
  test(`mount options ${JSON.stringify(options)}`, () => {
    assert.deepEqual(parseMountOptions(options), { flags, propagation, data });
  });
}

test('features lists mount options that the kernel has, and none of the file systems', () => {
  for (const name of ['ro', 'rw', 'rbind', 'rprivate', 'nosymfollow'])
    assert.ok(MOUNT_OPTIONS.includes(name));
  assert.ok(!MOUNT_OPTIONS.includes('rro'));
  assert.deepEqual([...MOUNT_OPTIONS].sort(), MOUNT_OPTIONS);
});
