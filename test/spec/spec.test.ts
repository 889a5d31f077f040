// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSupported, parseProcess, parseSpec } from '../../src/spec/spec.ts';
import { configJson, processJson, replaced, specOf } from '../fixtures/spec.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const ROLIM = { type: 'RLIMIT_NOFILE', soft: 1, hard: 2 };

// path in config.json, value there (undefined: taken away), what the message says after "config.json: ".
const INVALID: [path: string, value: unknown, text: string][] = [
  ['ociVersion', undefined, 'ociVersion must be a string'],
  ['ociVersion', 1, 'ociVersion must be a string'],
  ['ociVersion', 'one', 'ociVersion is not a version: "one"'],
  ['ociVersion', '1.0', 'ociVersion is not a version: "1.0"'],
  ['ociVersion', '2.0.0', 'ociVersion "2.0.0" is not supported; this runtime knows 1.0.0 to 1.3.0'],
  ['ociVersion', '0.9.0', 'ociVersion "0.9.0" is not supported'],
  ['root', undefined, 'root is missing'],
  ['root', 'rootfs', 'root must be an object'],
  ['root', [], 'root must be an object'],
  ['root.path', undefined, 'root.path must be a string'],
  ['root.path', '', 'root.path must not be empty'],
  ['root.path', 'a\0b', 'root.path must not contain a NUL character'],
  ['root.readonly', 'yes', 'root.readonly must be true or false'],
  ['hostname', 5, 'hostname must be a string'],
  ['domainname', {}, 'domainname must be a string'],
  ['annotations', [], 'annotations must be an object'],
  ['annotations', { a: 1 }, 'annotations.a must be a string'],
  ['process', [], 'process must be an object'],
  ['process', null, 'process must be an object'],
  ['process.args', undefined, 'process.args must not be empty'],
  ['process.args', [], 'process.args must not be empty'],
  ['process.args', 'sh', 'process.args must be a list'],
  ['process.args', ['sh', 1], 'process.args[1] must be a string'],
  ['process.args', ['a\0b'], 'process.args[0] must not contain a NUL character'],
  ['process.env', { A: 'b' }, 'process.env must be a list'],
  ['process.env', ['A'], 'process.env[0] must be NAME=value, not "A"'],
  ['process.env', ['A=1', '=1'], 'process.env[1] must be NAME=value, not "=1"'],
  ['process.cwd', undefined, 'process.cwd must be a string'],
  ['process.cwd', 'tmp', 'process.cwd must be an absolute path, not "tmp"'],
  ['process.terminal', 1, 'process.terminal must be true or false'],
  ['process.consoleSize', { height: -1, width: 1 }, 'process.consoleSize.height must be from 0 to 65535'],
  ['process.consoleSize', { height: 1 }, 'process.consoleSize.width must be an integer'],
  ['process.user', 'root', 'process.user must be an object'],
  ['process.user.uid', -1, 'process.user.uid must be from 0 to 4294967295'],
  ['process.user.uid', 1.5, 'process.user.uid must be an integer'],
  ['process.user.gid', 2 ** 32, 'process.user.gid must be from 0 to 4294967295'],
  ['process.user.gid', '5', 'process.user.gid must be an integer'],
  ['process.user.additionalGids', [1, 'x'], 'process.user.additionalGids[1] must be an integer'],
  ['process.user.umask', 0o1000, 'process.user.umask must be from 0 to 511'],
  ['process.oomScoreAdj', 1001, 'process.oomScoreAdj must be from -1000 to 1000'],
  ['process.noNewPrivileges', 'no', 'process.noNewPrivileges must be true or false'],
  [
    'process.rlimits',
    [{ ...ROLIM, type: 'NOFILE' }],
    'process.rlimits[0].type is not a resource limit: "NOFILE"',
  ],
  ['process.rlimits', [ROLIM, ROLIM], 'process.rlimits[1].type appears twice: "RLIMIT_NOFILE"'],
  ['process.rlimits', [{ ...ROLIM, soft: 3 }], 'process.rlimits[0] has a soft limit above the hard one'],
  ['process.rlimits', [{ ...ROLIM, soft: -1 }], 'process.rlimits[0].soft must be an integer'],
  ['process.rlimits', [{ type: 'RLIMIT_CPU' }], 'process.rlimits[0].soft must be an integer'],
  ['process.capabilities', [], 'process.capabilities must be an object'],
  [
    'process.capabilities',
    { bounding: ['CAP_FLY'] },
    'process.capabilities.bounding[0] is not a capability: "CAP_FLY"',
  ],
  [
    'process.capabilities',
    { ambient: ['cap_kill'] },
    'process.capabilities.ambient[0] is not a capability: "cap_kill"',
  ],
  ['process.capabilities', { effective: [1] }, 'process.capabilities.effective[0] must be a string'],
  ['mounts', {}, 'mounts must be a list'],
  ['mounts', [7], 'mounts[0] must be an object'],
  ['mounts', [{ type: 'proc' }], 'mounts[0].destination must be a string'],
  ['mounts', [{ destination: 'proc' }], 'mounts[0].destination must be an absolute path, not "proc"'],
  ['mounts', [{ destination: '/p', options: 'ro' }], 'mounts[0].options must be a list'],
  ['mounts', [{ destination: '/p', source: 5 }], 'mounts[0].source must be a string'],
  ['linux', 'x', 'linux must be an object'],
  ['linux.namespaces', [{}], 'linux.namespaces[0].type must be a string'],
  [
    'linux.namespaces',
    [{ type: 'pid' }, { type: 'pid' }],
    'linux.namespaces[1] is a second namespace of type "pid"',
  ],
  [
    'linux.namespaces',
    [{ type: 'network', path: 'a' }],
    'linux.namespaces[0].path must be an absolute path, not "a"',
  ],
  ['linux.maskedPaths', ['proc'], 'linux.maskedPaths[0] must be an absolute path, not "proc"'],
  ['linux.readonlyPaths', [1], 'linux.readonlyPaths[0] must be a string'],
  ['linux.sysctl', { 'net.x': 1 }, 'linux.sysctl.net.x must be a string'],
  ['linux.sysctl', { '../etc': '1' }, 'linux.sysctl has an invalid name of a kernel parameter: "../etc"'],
  ['linux.sysctl', { 'a b': '1' }, 'linux.sysctl has an invalid name of a kernel parameter: "a b"'],
  ['linux.sysctl', { '': '1' }, 'linux.sysctl has an invalid name of a kernel parameter: ""'],
  ['linux.rootfsPropagation', 'sideways', 'linux.rootfsPropagation is not a propagation: "sideways"'],
  ['linux.devices', [{ path: '/dev/x', type: 'z' }], 'linux.devices[0].type must be c, u, b or p, not "z"'],
  ['linux.devices', [{ path: 'x', type: 'c' }], 'linux.devices[0].path must be an absolute path, not "x"'],
  [
    'linux.devices',
    [{ path: '/x', type: 'c', major: -1 }],
    'linux.devices[0].major must be from 0 to 4294967295',
  ],
  ['linux.resources', [], 'linux.resources must be an object'],
  ['linux.resources', { memory: { limit: '1G' } }, 'linux.resources.memory.limit must be an integer'],
  ['linux.resources', { cpu: { quota: 0.5 } }, 'linux.resources.cpu.quota must be an integer'],
];
for (const [path, value, text] of INVALID) {
  test(`refused: ${path} = ${JSON.stringify(value)}`, () => {
    throwsVxn(() => parseSpec(replaced(configJson(), path, value)), 'INVALID_SPEC', `config.json: ${text}`);
  });
}

for (const value of [null, [], 'x', 5, undefined]) {
  test(`refused: ${JSON.stringify(value)} as a whole`, () => {
    throwsVxn(() => parseSpec(value), 'INVALID_SPEC', 'config.json: must be an object');
  });
}

test('unknown properties are ignored, at every level', () => {
  let config: unknown = configJson({ zzz: { a: 1 } });
  for (const path of [
    'process.zzz',
    'root.zzz',
    'linux.zzz',
    'mounts.0.zzz',
    'process.user.zzz',
    'linux.resources.zzz',
  ]) {
    config = replaced(config, path, { deep: [1, 2] });
  }
  assert.deepEqual(parseSpec(config), specOf());
});

test('absent parts have the defaults of the specification', () => {
  const spec = parseSpec({ ociVersion: '1.0.2-dev', root: { path: 'r' } });
  assert.equal(spec.process, undefined);
  assert.deepEqual(spec.mounts, []);
  assert.equal(spec.root.readonly, false);
  assert.equal(spec.limits.memory, undefined);
  assert.equal(spec.vm, undefined);
});

test('null is as good as absent for what is optional', () => {
  const spec = parseSpec(configJson({ mounts: null, linux: null, annotations: null, hostname: null }));
  assert.deepEqual(spec.mounts, []);
  assert.deepEqual(spec.annotations, {});
});

test('a process as containerd writes it', () => {
  const p = parseProcess(
    processJson({
      args: ['sh', '-c', 'echo "a b"', ''],
      env: ['A=', 'B=x=y', 'C= z'],
      cwd: '/tmp',
      user: { uid: 4294967295, gid: 7, additionalGids: [1, 2], umask: 0o27 },
      capabilities: { bounding: ['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE'], effective: null },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 2 ** 64 }],
      consoleSize: { height: 24, width: 80 },
      noNewPrivileges: true,
      oomScoreAdj: -998,
    }),
  );
  assert.deepEqual(p.args, ['sh', '-c', 'echo "a b"', '']);
  assert.deepEqual(p.env, ['A=', 'B=x=y', 'C= z']);
  assert.deepEqual([p.uid, p.gid, p.additionalGids, p.umask], [4294967295, 7, [1, 2], 0o27]);
  assert.equal(p.capabilities?.bounding, 1n | (1n << 40n));
  assert.equal(p.capabilities?.effective, 0n);
  assert.deepEqual(p.rlimits, [{ type: 7, soft: 1024n, hard: 0xffff_ffff_ffff_ffffn }]);
  assert.deepEqual([p.noNewPrivileges, p.oomScoreAdj], [true, -998]);
});

const MOUNTS: [name: string, mount: object, type: string, source: string][] = [
  ['bind by option', { type: 'none', options: ['rbind', 'ro'], source: '/s' }, 'bind', '/s'],
  ['bind by type', { type: 'bind', source: '/s' }, 'bind', '/s'],
  ['bind without a type', { options: ['bind'], source: '/s' }, 'bind', '/s'],
  ['tmpfs without a source', { type: 'tmpfs' }, 'tmpfs', 'tmpfs'],
];
for (const [name, mount, type, source] of MOUNTS) {
  test(`mount: ${name}`, () => {
    const found = specOf({ mounts: [{ destination: '/d', ...mount }] }).mounts[0];
    assert.deepEqual([found?.type, found?.source, found?.destination], [type, source, '/d']);
  });
}

test('a device u is a character device; mode and owner have defaults', () => {
  const { devices } = specOf({ linux: { devices: [{ path: '/dev/x', type: 'u', major: 1, minor: 3 }] } });
  assert.deepEqual(devices, [{ path: '/dev/x', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 }]);
});

const namespaces = (...types: string[]): object[] => types.map((type) => ({ type }));
const ALL = ['pid', 'network', 'ipc', 'uts', 'mount'];

// path in config.json, value there, what the one line says.
const UNSUPPORTED: [path: string, value: unknown, text: string][] = [
  ['linux.namespaces', namespaces('network', 'ipc'), "the host's PID namespace cannot be shared"],
  ['linux.namespaces', namespaces('network', 'pid'), "the host's IPC namespace cannot be shared"],
  ['linux.namespaces', namespaces(...ALL, 'user'), 'user namespaces are not supported'],
  ['linux.namespaces', namespaces(...ALL, 'time'), 'time namespaces are not supported'],
  [
    'linux.namespaces',
    [...namespaces('network', 'ipc'), { type: 'pid', path: '/p' }],
    "another container's PID namespace",
  ],
  [
    'linux.namespaces',
    [...namespaces('network', 'pid'), { type: 'ipc', path: '/p' }],
    "another container's IPC namespace",
  ],
  ['linux.intelRdt', {}, 'linux.intelRdt is not supported'],
  ['linux.personality', { domain: 'LINUX32' }, 'linux.personality is not supported'],
  ['linux.netDevices', {}, 'linux.netDevices is not supported'],
  ['linux.memoryPolicy', { mode: 'MPOL_BIND' }, 'linux.memoryPolicy is not supported'],
  ['linux.timeOffsets', { boottime: {} }, 'linux.timeOffsets is not supported'],
  ['process.scheduler', { policy: 'SCHED_FIFO' }, 'process.scheduler is not supported'],
  ['process.ioPriority', { class: 'IOPRIO_CLASS_IDLE' }, 'process.ioPriority is not supported'],
  ['process.execCPUAffinity', { initial: '0' }, 'process.execCPUAffinity is not supported'],
  ['mounts.0.uidMappings', [{ containerID: 0 }], 'mounts[0].uidMappings is not supported'],
  ['mounts.0.options', ['bind', 'ridmap'], 'mounts[0]: id-mapped mounts are not supported'],
];
for (const [path, value, text] of UNSUPPORTED) {
  test(`not supported: ${path} = ${JSON.stringify(value)}`, () => {
    const raw = replaced(configJson(), path, value) as Record<string, unknown>;
    throwsVxn(() => checkSupported(parseSpec(raw), raw), 'UNSUPPORTED', text);
  });
}

test('an unknown namespace type is invalid', () => {
  const raw = replaced(configJson(), 'linux.namespaces', namespaces(...ALL, 'dream')) as Record<
    string,
    unknown
  >;
  throwsVxn(() => checkSupported(parseSpec(raw), raw), 'INVALID_SPEC', 'has an unknown type "dream"');
});

test('a network namespace by path, empty hooks and a cgroup namespace are fine', () => {
  const list = [
    ...namespaces('pid', 'ipc', 'uts', 'mount', 'cgroup'),
    { type: 'network', path: '/var/run/netns/x' },
  ];
  const raw = configJson({ hooks: { poststop: [] }, linux: { namespaces: list } });
  checkSupported(parseSpec(raw), raw);
});
