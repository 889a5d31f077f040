// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeContainer, describeProcess, hookRecords } from '../../src/channel/description.ts';
import { Tag } from '../../src/channel/protocol.ts';
import { parseProcess } from '../../src/spec/spec.ts';
import { readRecords, textsOf, valuesOf } from '../fixtures/records.ts';
import { processJson, specOf } from '../fixtures/spec.ts';
import { vectors } from '../fixtures/vectors.ts';

const processOf = (change: Record<string, unknown>): Buffer =>
  describeProcess(parseProcess(processJson(change)), true, undefined);

test('arguments and environment arrive byte for byte, in order', () => {
  const args = ['sh', '-c', 'echo "$A" \'b\'\n\t`c` $(d) \\', '', ' ', 'é\u{1f600}', '-', '--'];
  const env = ['A=', 'B= x ', 'C=a=b', 'D="q"', 'A=again', 'NL=a\nb'];
  const payload = processOf({ args, env });
  assert.deepEqual(textsOf(payload, Tag.Arg), args);
  assert.deepEqual(textsOf(payload, Tag.Env), env);
});

test('numbers of a process', () => {
  const payload = processOf({
    cwd: '/w d',
    user: { uid: 4294967295, gid: 5, additionalGids: [1, 4294967295], umask: 0o22 },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 ** 64 }],
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_CHOWN'], ambient: ['CAP_CHECKPOINT_RESTORE'] },
    noNewPrivileges: true,
    oomScoreAdj: -998,
  });
  const one = (tag: number): string => valuesOf(payload, tag)[0]?.toString('hex') ?? 'none';
  assert.deepEqual(textsOf(payload, Tag.Cwd), ['/w d']);
  assert.equal(one(Tag.Uid), 'ffffffff');
  assert.equal(one(Tag.Gid), '05000000');
  assert.deepEqual(
    valuesOf(payload, Tag.Group).map((v) => v.toString('hex')),
    ['01000000', 'ffffffff'],
  );
  assert.equal(one(Tag.Umask), '12000000');
  assert.equal(one(Tag.Rlimit), '07000000000000000100000000000000ffffffffffffffff');
  assert.equal(
    one(Tag.Caps),
    ['20', '01', '00', '00', '0000000000010000'].map((b) => b.padEnd(16, '0')).join(''),
  );
  assert.equal(one(Tag.NoNewPrivileges), '');
  assert.equal(one(Tag.OomScoreAdj), '1afcffff');
  assert.equal(one(Tag.Init), '');
});

test('what is not set is not sent', () => {
  const tags = readRecords(processOf({ env: [] })).map(([tag]) => tag);
  assert.deepEqual(tags, [Tag.ContainerId, Tag.Init, Tag.Arg, Tag.Cwd, Tag.Uid, Tag.Gid]);
});

test('filters and hooks are those of the shared vectors', () => {
  const payloads = new Map(vectors('records.txt').map(([name, , payload]) => [name, payload]));
  const filter = Buffer.from('04000000060000000000ff7f', 'hex');
  const described = describeProcess(parseProcess(processJson()), true, filter);
  assert.ok(described.toString('hex').endsWith(payloads.get('seccomp') ?? '?'));
  const hook = { path: '/sbin/ldconfig', args: ['ldconfig', '-v'], env: ['A=b'], timeout: 10 };
  assert.equal(hookRecords(2, hook, [], '{"pid":1}').toString('hex'), payloads.get('hook'));
});

test('a container: root, names, mounts in order, paths, sysctls, devices', () => {
  const spec = specOf({
    root: { path: 'r', readonly: true },
    domainname: 'example',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid'] },
      { destination: '/tmp', type: 'tmpfs', options: ['size=64k', 'mode=1777'] },
      { destination: '/etc/hosts', source: '/h', options: ['rbind', 'rprivate'] },
    ],
    linux: {
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
      sysctl: { 'kernel.msgmax': '65536' },
      devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o100666 }],
    },
  });
  const payload = describeContainer(spec, (m) => (m.type === 'bind' ? 0 : undefined), 8192);
  assert.deepEqual(textsOf(payload, Tag.RootDisk), ['xvda']);
  assert.equal(valuesOf(payload, Tag.RootReadonly).length, 1);
  assert.deepEqual(textsOf(payload, Tag.Hostname), ['box']);
  assert.deepEqual(textsOf(payload, Tag.Domainname), ['example']);
  assert.equal(valuesOf(payload, Tag.BindSize)[0]?.readBigUInt64LE(), 8192n);
  assert.deepEqual(textsOf(payload, Tag.MaskedPath), ['/proc/kcore']);
  assert.deepEqual(textsOf(payload, Tag.ReadonlyPath), ['/proc/sys']);
  assert.deepEqual(textsOf(payload, Tag.Sysctl), ['kernel.msgmax\x0065536']);
  const mounts = valuesOf(payload, Tag.Mount);
  assert.deepEqual(
    mounts.map((m) => textsOf(m, Tag.MountDest)[0]),
    ['/proc', '/tmp', '/etc/hosts'],
  );
  const [, tmp = Buffer.alloc(0), hosts = Buffer.alloc(0)] = mounts;
  assert.deepEqual(textsOf(tmp, Tag.MountData), ['size=64k,mode=1777']);
  // A bind mount has no type, and is only read.
  assert.deepEqual(textsOf(hosts, Tag.MountType), []);
  assert.deepEqual(textsOf(hosts, Tag.MountBind), ['0']);
  assert.equal(valuesOf(hosts, Tag.MountFlags)[0]?.readBigUInt64LE(), 4096n | 16384n | 1n);
  assert.equal(valuesOf(hosts, Tag.MountPropagation)[0]?.readBigUInt64LE(), (1n << 18n) | 16384n);
  const [device = Buffer.alloc(0)] = valuesOf(payload, Tag.Device);
  assert.deepEqual(textsOf(device, Tag.DevPath), ['/dev/fuse']);
  assert.equal(valuesOf(device, Tag.DevMode)[0]?.readUInt32LE(), 0o666);
});
