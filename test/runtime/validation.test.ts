// SPDX-License-Identifier: MIT
// The facts that the validation programs of runtime-tools check, in tests of our own, as far as a
// virtual machine can pass them. The programs look into the bundle's rootfs for the files of the
// container's program. Here the rootfs is a copy, so these tests look at the program's output.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hierarchies } from '../../src/container/cgroup.ts';
import { type Created, Host } from '../fixtures/host.ts';
import { configJson, processJson } from '../fixtures/spec.ts';

const host = new Host();
type Json = Record<string, unknown>;

// The configuration that runtime-tools generates, without the parts that this machine's own kernel
// lacks.
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);
const DEFAULT: Json = {
  ociVersion: '1.2.0',
  process: processJson({
    args: ['/bin/true'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    capabilities: {
      bounding: CAPABILITIES,
      permitted: CAPABILITIES,
      inheritable: CAPABILITIES,
      effective: CAPABILITIES,
      ambient: CAPABILITIES,
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
  }),
  hostname: 'mrsdalloway',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  ],
  linux: {
    namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
    resources: { devices: [{ allow: false, access: 'rwm' }] },
  },
};
const linux = (change: Json): Json => ({ ...(DEFAULT.linux as Json), ...change });
const program = (script: string, change: Json = {}): Json => ({
  ...(DEFAULT.process as Json),
  args: ['/bin/sh', '-c', script],
  ...change,
});

/** A bundle with busybox's applets as programs, as in the rootfs of runtime-tools. */
function bundleOf(change: Json, prepare: (rootfs: string) => void = () => undefined): string {
  const bundle = host.bundle(configJson({ ...DEFAULT, ...change }));
  prepare(join(bundle, 'rootfs'));
  return bundle;
}

const verb = (...args: string[]): number | null => host.run(args).status;
const status = (id: string): string => JSON.parse(host.run(['state', id]).stdout).status;

async function created(id: string, change: Json, prepare?: (rootfs: string) => void): Promise<Created> {
  const c = host.create(id, { bundle: bundleOf(change, prepare) });
  assert.equal(await c.created, 0, c.text('stderr'));
  return c;
}

/** Runs create, start, the program and delete. Gives the output of the program. */
async function inside(
  script: string,
  change: Json = {},
  prepare?: (rootfs: string) => void,
): Promise<string> {
  const process = program(`${script}\nexit 0`, (change.process as Json | undefined) ?? {});
  const c = await created('inside', { ...change, process }, prepare);
  const { stderr } = host.run(['start', 'inside']);
  assert.equal(stderr, '');
  assert.equal(await c.exit, 0, c.text('stderr'));
  assert.equal(verb('delete', 'inside'), 0);
  return c.text('stdout');
}

async function refused(change: Json): Promise<string> {
  const c = host.create('refused', { bundle: bundleOf(change) });
  const atCreate = await c.created;
  await c.exit;
  assert.equal(atCreate, 1);
  assert.notEqual(verb('state', 'refused'), 0);
  return c.text('stderr');
}

test('create: an id, a unique one, makes a container', async () => {
  assert.equal(verb('create'), 1);
  await created('unique', {});
  const again = host.create('unique', { bundle: bundleOf({}) });
  assert.equal(await again.created, 1);
  assert.match(again.text('stderr'), /container with given ID already exists/);
  assert.equal(JSON.parse(host.run(['state', 'unique']).stdout).id, 'unique');
  assert.equal(verb('delete', 'unique'), 0);
});

test('start: not without an id, not of nothing, once, and not of what has stopped', async () => {
  assert.equal(verb('start'), 1);
  assert.equal(verb('start', 'nobody'), 1);
  const c = await created('started', { process: program('echo process called') });
  assert.equal(c.text('stdout'), '');
  assert.equal(verb('start', 'started'), 0);
  assert.equal(await c.exit, 0);
  assert.equal(verb('start', 'started'), 1);
  assert.equal(status('started'), 'stopped');
  assert.equal(verb('delete', 'started'), 0);
  assert.equal(c.text('stdout'), 'process called\n');
});

test('state: not without an id, not of nothing, otherwise all of it', async () => {
  assert.equal(verb('state'), 1);
  assert.equal(verb('state', 'nobody'), 1);
  await created('shown', {});
  const state = JSON.parse(host.run(['state', 'shown']).stdout);
  assert.match(state.ociVersion, /^1\.\d+\.\d+$/);
  assert.deepEqual([state.id, state.status], ['shown', 'created']);
  assert.ok(state.pid > 1 && state.bundle.startsWith('/'));
  assert.equal(verb('delete', 'shown'), 0);
});

test('kill: not without an id, not of nothing or of what has stopped, which it leaves as it is', async () => {
  assert.equal(verb('kill'), 1);
  assert.equal(verb('kill', 'nobody', 'KILL'), 1);
  const idle = await created('killed', {});
  assert.equal(verb('kill', 'killed', 'KILL'), 0);
  assert.equal(await idle.exit, 137);
  assert.equal(verb('delete', 'killed'), 0);
  const c = await created('killed', { process: program('sleep 30') });
  assert.equal(verb('start', 'killed'), 0);
  assert.equal(verb('kill', 'killed', 'KILL'), 0);
  assert.equal(await c.exit, 137);
  const before = host.run(['state', 'killed']);
  assert.equal(verb('kill', 'killed', 'KILL'), 1);
  assert.deepEqual(host.run(['state', 'killed']), before);
  assert.equal(verb('delete', 'killed'), 0);
});

test('killsig: TERM, USR1 and USR2 reach the program', async () => {
  const traps = ['TERM', 'USR1', 'USR2']
    .map((name) => `trap 'echo ${name}; n=$((n + 1))' ${name}`)
    .join('; ');
  const script = `n=0; ${traps}; echo ready; while [ $n -lt 3 ]; do sleep 0.05; done`;
  const c = await created('signals', { process: program(script) });
  assert.equal(verb('start', 'signals'), 0);
  let seen = 'ready\n';
  for (const name of ['TERM', 'USR1', 'USR2']) {
    while (c.text('stdout') !== seen) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(verb('kill', 'signals', name), 0);
    seen += `${name}\n`;
  }
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), seen);
  assert.equal(verb('delete', 'signals'), 0);
});

test('delete: not without an id, not of nothing, not of what runs, which it leaves running', async () => {
  assert.equal(verb('delete'), 1);
  assert.equal(verb('delete', 'nobody'), 1);
  await created('deleted', { process: program('sleep 30') });
  assert.equal(verb('start', 'deleted'), 0);
  assert.equal(verb('delete', 'deleted'), 1);
  assert.equal(status('deleted'), 'running');
  assert.equal(verb('delete', '--force', 'deleted'), 0);
  assert.equal(verb('state', 'deleted'), 1);
});

// The last process in it may need a moment to leave.
async function removeFolder(cgroup: string): Promise<void> {
  for (let i = 0; i < 200 && existsSync(cgroup); i++) {
    try {
      rmdirSync(cgroup);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('delete_resources, delete_only_create_resources: the cgroup goes, another that the process was put into stays', async () => {
  const { mount = '' } = hierarchies(readFileSync('/proc/self/mountinfo', 'utf8')).at(-1) ?? {};
  const [ours, others] = [`vxn-validation-${process.pid}`, join(mount, `vxn-others-${process.pid}`)];
  mkdirSync(others);
  try {
    const c = await created('resources', { linux: linux({ cgroupsPath: `/${ours}/c` }) });
    writeFileSync(join(others, 'cgroup.procs'), readFileSync(c.pidFile, 'utf8'));
    assert.ok(existsSync(join(mount, ours, 'c')));
    assert.equal(verb('start', 'resources'), 0);
    await c.exit;
    assert.equal(verb('delete', 'resources'), 0);
    assert.equal(existsSync(join(mount, ours)), false);
    assert.ok(existsSync(others));
  } finally {
    await removeFolder(others);
  }
});

test('pidfile: the pid of state', async () => {
  const c = await created('pidfile', {});
  assert.equal(
    Number(readFileSync(c.pidFile, 'utf8')),
    JSON.parse(host.run(['state', 'pidfile']).stdout).pid,
  );
  assert.equal(verb('delete', 'pidfile'), 0);
});

test('misc_props: unknown annotations and properties are no error, an invalid version is', async () => {
  assert.equal(
    await inside('echo ok', { annotations: { 'org.example.unknown': '' }, unknown: 'unknown' }),
    'ok\n',
  );
  assert.match(await refused({ ociVersion: 'invalid' }), /ociVersion is not a version: "invalid"/);
});

test('default: the file systems, devices and links of every Linux container', async () => {
  const out = await inside(`
    for m in /proc /sys /dev/pts /dev/shm; do busybox awk -v m=$m '$2 == m { print m, $3 }' /proc/mounts; done
    for d in null zero full random urandom tty; do busybox stat -c '%n %F %t:%T %a' /dev/$d; done
    for l in fd stdin stdout stderr ptmx; do echo "$l $(busybox readlink /dev/$l)"; done
    busybox grep '^Max open files' /proc/self/limits; busybox hostname; busybox grep ^CapBnd /proc/self/status`);
  const node = (name: string, numbers: string) => `/dev/${name} character special file ${numbers} 666`;
  assert.deepEqual(out.trim().split('\n'), [
    '/proc proc',
    '/sys sysfs',
    '/dev/pts devpts',
    '/dev/shm tmpfs',
    node('null', '1:3'),
    node('zero', '1:5'),
    node('full', '1:7'),
    node('random', '1:8'),
    node('urandom', '1:9'),
    node('tty', '5:0'),
    'fd /proc/self/fd',
    'stdin /proc/self/fd/0',
    'stdout /proc/self/fd/1',
    'stderr /proc/self/fd/2',
    'ptmx pts/ptmx',
    'Max open files            1024                 1024                 files     ',
    'mrsdalloway',
    'CapBnd:\t00000000a80425fb',
  ]);
});

test('hostname: as it is said, or the machine’s own', async () => {
  assert.equal(await inside('busybox hostname', { hostname: 'hostname-specific' }), 'hostname-specific\n');
  assert.notEqual(await inside('busybox hostname', { hostname: undefined }), '');
});

test('process: folder and environment', async () => {
  const change = { process: { cwd: '/test', env: ['PATH=/bin', 'testa=valuea', 'testb=123'] } };
  const out = await inside('pwd; echo "$testa $testb"', change, (rootfs) =>
    mkdirSync(join(rootfs, 'test'), { mode: 0o700 }),
  );
  assert.equal(out, '/test\nvaluea 123\n');
});

test('process_user: uid, gid, groups, umask', async () => {
  const user = { uid: 10, gid: 10, additionalGids: [5], umask: 0o02 };
  assert.equal(await inside('id -u; id -g; id -G; umask', { process: { user } }), '10\n10\n10 5\n0002\n');
});

test('process_capabilities: all of them; process_capabilities_fail: an unknown one is an error', async () => {
  const all = readFileSync('/proc/self/status', 'utf8').match(/^CapPrm:\t(.*)$/m)?.[1];
  const { CAPABILITIES: names } = await import('../../src/spec/capabilities.ts');
  const sets = { bounding: names, effective: names, permitted: names, inheritable: names, ambient: names };
  const out = await inside('busybox grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status', {
    process: { capabilities: sets },
  });
  assert.equal(out, ['Prm', 'Eff', 'Bnd'].map((set) => `Cap${set}:\t${all}\n`).join(''));
  const wrong = await refused({ process: program('true', { capabilities: { bounding: ['CAP_TEST'] } }) });
  assert.match(wrong, /is not a capability: "CAP_TEST"/);
});

test('process_rlimits: as they are said; process_rlimits_fail: an unknown one is an error', async () => {
  const rlimits = [
    { type: 'RLIMIT_CORE', soft: 0, hard: 1024 },
    { type: 'RLIMIT_STACK', soft: 1 << 20, hard: 1 << 30 },
    { type: 'RLIMIT_CPU', soft: 120, hard: 300 },
  ];
  const out = await inside('busybox grep -E "^Max (core|stack|cpu)" /proc/self/limits | busybox tr -s " "', {
    process: { rlimits },
  });
  assert.equal(
    out,
    'Max cpu time 120 300 seconds \nMax stack size 1048576 1073741824 bytes \nMax core file size 0 1024 bytes \n',
  );
  const wrong = await refused({
    process: program('true', { rlimits: [{ type: 'RLIMIT_TEST', soft: 1, hard: 1 }] }),
  });
  assert.match(wrong, /is not a resource limit: "RLIMIT_TEST"/);
});

test('process_oom_score_adj', async () => {
  assert.equal(await inside('cat /proc/self/oom_score_adj', { process: { oomScoreAdj: 500 } }), '500\n');
});

test('root_readonly_true', async () => {
  assert.equal(
    await inside('busybox touch /x 2>&1', { root: { path: 'rootfs', readonly: true } }),
    'touch: /x: Read-only file system\n',
  );
});

const secrets = (rootfs: string): void => {
  mkdirSync(join(rootfs, 'dir/sub'), { recursive: true });
  for (const file of ['file', 'dir/file', 'dir/sub/file']) writeFileSync(join(rootfs, file), 'secret\n');
};

test('linux_masked_paths: folders and files within each other, links, one that is missing; a relative one is an error', async () => {
  const maskedPaths = ['/dir', '/file', '/dir/sub', '/dir/file', '/dir/sub/file', '/missing'];
  assert.equal(
    await inside('busybox ls -A /dir; cat /file; echo end', { linux: linux({ maskedPaths }) }, secrets),
    'end\n',
  );
  assert.match(
    await refused({ linux: linux({ maskedPaths: ['dir'] }) }),
    /must be an absolute path, not "dir"/,
  );
});

test('linux_readonly_paths: the same', async () => {
  const readonlyPaths = ['/dir', '/file', '/dir/sub', '/dir/file', '/dir/sub/file', '/missing'];
  const script =
    'for f in /file /dir/file /dir/sub/file /dir/new; do (echo x >$f) 2>/dev/null && echo $f; done; cat /dir/sub/file';
  assert.equal(await inside(script, { linux: linux({ readonlyPaths }) }, secrets), 'secret\n');
  assert.match(
    await refused({ linux: linux({ readonlyPaths: ['dir'] }) }),
    /must be an absolute path, not "dir"/,
  );
});

test('linux_seccomp: getcwd is refused', async () => {
  const seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['getcwd'], action: 'SCMP_ACT_ERRNO' }],
  };
  const process = { cwd: '/tmp' };
  const out = await inside('/bin/busybox pwd 2>&1 | busybox sed "s/.*: //"', {
    process,
    linux: linux({ seccomp }),
  });
  assert.equal(out, 'Operation not permitted\n');
});

test('linux_sysctl', async () => {
  // The parameter is not net.ipv4.ip_forward as theirs is, because in this test the guest's network
  // is the machine's.
  const sysctl = { 'kernel.shmmni': '2048', 'fs.mqueue.queues_max': '99' };
  assert.equal(
    await inside('cat /proc/sys/kernel/shmmni /proc/sys/fs/mqueue/queues_max', { linux: linux({ sysctl }) }),
    '2048\n99\n',
  );
});

test('linux_devices: a character, a block and a FIFO device', async () => {
  const devices = [
    { path: '/dev/test1', type: 'c', major: 10, minor: 666, fileMode: 432, uid: 0, gid: 0 },
    { path: '/dev/test2', type: 'b', major: 8, minor: 666, fileMode: 432, uid: 0, gid: 0 },
    { path: '/dev/test3', type: 'p', major: 8, minor: 666, fileMode: 432 },
  ];
  const out = await inside("busybox stat -c '%F %t:%T %a' /dev/test1 /dev/test2 /dev/test3", {
    linux: linux({ devices }),
  });
  assert.equal(out, 'character special file a:29a 660\nblock special file 8:29a 660\nfifo 0:0 660\n');
});

test('mounts: every propagation of a tmpfs and of a bind mount; the latter are copies', async () => {
  const note = join(host.folder, 'etc');
  mkdirSync(note, { recursive: true });
  writeFileSync(join(note, 'file'), 'here\n');
  const bind = (name: string): Json => ({
    destination: `/mnt/${name}`,
    source: note,
    options: [name.startsWith('r') ? 'rbind' : 'bind', name],
  });
  const tmpfs = (name: string): Json => ({
    destination: `/tmp/${name}`,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [name],
  });
  const binds = ['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate', 'unbindable', 'runbindable'];
  const mounts = [
    ...(DEFAULT.mounts as Json[]),
    ...['shared', 'slave', 'private'].map(tmpfs),
    ...binds.map(bind),
  ];
  const script = `cat /mnt/*/file | busybox uniq -c | busybox tr -s ' '
    busybox awk '$5 ~ "^/(tmp|mnt)/" { print $5, $7 }' /proc/self/mountinfo | busybox sed 's/:.*//; s/ -$/ private/'`;
  const out = await inside(script, { mounts });
  assert.deepEqual(out.trim().split('\n'), [
    '8 here',
    '/tmp/shared shared',
    '/tmp/slave private',
    '/tmp/private private',
    '/mnt/shared shared',
    '/mnt/rshared shared',
    '/mnt/slave private',
    '/mnt/rslave private',
    '/mnt/private private',
    '/mnt/rprivate private',
    '/mnt/unbindable unbindable',
    '/mnt/runbindable unbindable',
  ]);
});

test('linux_rootfs_propagation: shared, slave, private, unbindable', async () => {
  const capabilities = Object.fromEntries(
    ['bounding', 'effective', 'permitted'].map((set) => [set, [...CAPABILITIES, 'CAP_SYS_ADMIN']]),
  );
  const script = `cd /; busybox mkdir target mount test; busybox touch test/example
    busybox mount --rbind / target 2>/dev/null || { echo refused; exit 0; }
    busybox mount --rbind test mount; [ -e target/mount/example ] && echo exposed || echo hidden`;
  for (const [rootfsPropagation, seen] of [
    ['shared', 'exposed'],
    ['slave', 'hidden'],
    ['private', 'hidden'],
    ['unbindable', 'refused'],
  ]) {
    const out = await inside(script, { process: { capabilities }, linux: linux({ rootfsPropagation }) });
    assert.equal(out, `${seen}\n`, rootfsPropagation);
  }
});

test('linux_ns_path_type: a namespace of another type is an error', async () => {
  const namespaces = (type: string, path: string): Json[] => [
    ...['pid', 'network', 'ipc', 'uts', 'mount'].filter((t) => t !== type).map((t) => ({ type: t })),
    { type, path },
  ];
  for (const [type, wrong] of [
    ['network', 'pid'],
    ['pid', 'net'],
    ['ipc', 'net'],
  ] as const) {
    assert.notEqual(
      await refused({ linux: linux({ namespaces: namespaces(type, `/proc/self/ns/${wrong}`) }) }),
      '',
    );
  }
});
