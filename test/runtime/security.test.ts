// SPDX-License-Identifier: MIT
// The parts of config.json that confine the program. The real agent applies them on this machine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';
import { configJson, processJson } from '../fixtures/spec.ts';

const host = new Host();

type Json = Record<string, unknown>;
const CAPS = ['CAP_DAC_OVERRIDE', 'CAP_CHOWN'];
const linux = (change: Json): Json => ({ ...(configJson().linux as Json), ...change });
const program = (script: string, change: Json = {}): Json =>
  processJson({
    args: ['/bin/sh', '-c', script],
    capabilities: { bounding: CAPS, effective: CAPS, permitted: CAPS },
    ...change,
  });

interface Outcome {
  status: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a whole life. Fails unless create and start succeed. */
async function run(id: string, change: Json): Promise<Outcome> {
  const c = host.create(id, { bundle: host.bundle(change) });
  assert.equal(await c.created, 0, c.text('stderr'));
  const started = host.run(['start', id]);
  assert.equal(started.status, 0, started.stderr);
  const status = await c.exit;
  assert.equal(host.run(['delete', id]).status, 0);
  return { status, stdout: c.text('stdout'), stderr: c.text('stderr') };
}

const forbid = (names: string[], action: string): Json =>
  linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action }] } });
const MKDIR = ['mkdir', 'mkdirat'];

for (const noNewPrivileges of [true, false]) {
  test(`seccomp: a forbidden system call is refused; no_new_privs ${noNewPrivileges}`, async () => {
    const script =
      'busybox mkdir /tmp/x; busybox grep -E "^(Seccomp:|CapEff|NoNewPrivs)" /proc/self/status; echo runs';
    const process = program(script, { noNewPrivileges, user: { uid: 7, gid: 8 } });
    const { stdout, stderr } = await run('seccomp', { process, linux: forbid(MKDIR, 'SCMP_ACT_ERRNO') });
    assert.match(stderr, /mkdir: can't create directory '\/tmp\/x': Operation not permitted\n/);
    assert.equal(
      stdout,
      `CapEff:\t0000000000000000\nNoNewPrivs:\t${noNewPrivileges ? 1 : 0}\nSeccomp:\t2\nruns\n`,
    );
  });
}

test('seccomp: what exec runs has the filter, too', async () => {
  const process = program('while :; do sleep 1; done');
  const c = host.create('filtered', {
    bundle: host.bundle({ process, linux: forbid(MKDIR, 'SCMP_ACT_ERRNO') }),
  });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.equal(host.run(['start', 'filtered']).status, 0);
  const { status, stdout, stderr } = host.run(['exec', 'filtered', '/bin/busybox', 'mkdir', '/tmp/x']);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /Operation not permitted/);
  host.run(['delete', '--force', 'filtered']);
});

test('seccomp: what kills the program ends the container with 128 + 31', async () => {
  const process = program('', { args: ['/bin/busybox', 'mkdir', '/tmp/x'] });
  const { status } = await run('kill', { process, linux: forbid(MKDIR, 'SCMP_ACT_KILL_PROCESS') });
  assert.equal(status, 159);
});

const REFUSED: [name: string, seccomp: Json, message: RegExp][] = [
  [
    'an unknown action',
    { defaultAction: 'SCMP_ACT_X' },
    /^config\.json: linux\.seccomp\.defaultAction is not a seccomp action: "SCMP_ACT_X"$/,
  ],
  [
    'a listener',
    { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/x' },
    /listenerPath is not supported/,
  ],
  [
    'an architecture that does not fit',
    { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_S390X'], syscalls: [] },
    /^config\.json: linux\.seccomp: the architecture s390x cannot be in the filter: /,
  ],
];
for (const [name, seccomp, message] of REFUSED) {
  test(`seccomp: create refuses ${name} and leaves nothing`, async () => {
    const c = host.create('refused', { bundle: host.bundle({ linux: linux({ seccomp }) }) });
    assert.equal(await c.created, 1);
    await c.exit;
    assert.match(c.text('stderr').trimEnd(), message);
    assert.deepEqual(await host.leftovers('refused'), []);
  });
}

test('seccomp: without its filter nothing is started', async () => {
  const c = host.create('lost', { bundle: host.bundle({ linux: forbid(MKDIR, 'SCMP_ACT_ERRNO') }) });
  assert.equal(await c.created, 0);
  rmSync(host.places('lost').seccomp);
  const { status, stderr } = host.run(['start', 'lost']);
  assert.equal(status, 1);
  assert.match(stderr, /seccomp.*ENOENT|ENOENT.*seccomp/);
  assert.equal(host.run(['delete', '--force', 'lost']).status, 0);
});

test('sysctls are set before the program starts; one that the kernel has not is an error that names it', async () => {
  const sysctl = { 'kernel.msgmax': '12345', 'fs/mqueue/msg_max': '7' };
  const { stdout } = await run('sysctl', {
    process: program('cat /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max'),
    linux: linux({ sysctl }),
  });
  assert.equal(stdout, '12345\n7\n');
  const c = host.create('nosuch', {
    bundle: host.bundle({ linux: linux({ sysctl: { 'net.no.such': '1' } }) }),
  });
  assert.equal(await c.created, 0);
  const { status, stderr } = host.run(['start', 'nosuch']);
  assert.deepEqual([status, stderr], [1, "sysctl net.no.such: the guest's kernel has no such parameter\n"]);
  assert.equal(host.run(['delete', 'nosuch']).status, 0);
});

test('the usual devices are there without a mount on /dev, and those of config.json', async () => {
  const script = `cd /dev; for d in *; do
      if [ -L $d ]; then echo "$d -> $(busybox readlink $d)"; else busybox stat -c '%n %A %t %T %u %g' $d; fi; done
    echo gone >null; busybox head -c 4 zero | busybox wc -c; busybox touch /x`;
  const devices = [
    { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 5, gid: 6 },
    { path: '/dev/disk', type: 'b', major: 7, minor: 99 },
    { path: '/dev/queue', type: 'p', fileMode: 0o600 },
  ];
  const { stdout, stderr } = await run('devices', {
    process: program(script),
    root: { path: 'rootfs', readonly: true },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: linux({ devices }),
  });
  assert.deepEqual(stdout.trim().split('\n'), [
    'disk brw-rw-rw- 7 63 0 0',
    'fd -> /proc/self/fd',
    'full crw-rw-rw- 1 7 0 0',
    'fuse crw-r----- a e5 5 6',
    'null crw-rw-rw- 1 3 0 0',
    'ptmx -> pts/ptmx',
    'queue prw------- 0 0 0 0',
    'random crw-rw-rw- 1 8 0 0',
    'stderr -> /proc/self/fd/2',
    'stdin -> /proc/self/fd/0',
    'stdout -> /proc/self/fd/1',
    'tty crw-rw-rw- 5 0 0 0',
    'urandom crw-rw-rw- 1 9 0 0',
    'zero crw-rw-rw- 1 5 0 0',
    '4',
  ]);
  assert.match(stderr, /\/x: Read-only file system\n$/);
});

test('oomScoreAdj is for the program and for the monitor', async () => {
  const c = host.create('oom', {
    bundle: host.bundle({ process: program('cat /proc/self/oom_score_adj; cat', { oomScoreAdj: 321 }) }),
  });
  assert.equal(await c.created, 0);
  assert.equal(host.run(['start', 'oom']).status, 0);
  const { pid } = JSON.parse(host.run(['state', 'oom']).stdout);
  assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), '321\n');
  c.stdin.end();
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), '321\n');
  assert.equal(host.run(['delete', 'oom']).status, 0);
});

const NO_FILES: [name: string, make: (config: string) => void, text: RegExp][] = [
  ['a link to /dev/zero', (c) => symlinkSync('/dev/zero', c), /config\.json is not a regular file\n$/],
  ['a FIFO', (c) => execFileSync('mkfifo', [c]), /config\.json is not a regular file\n$/],
  [
    'a file without an end',
    (c) => symlinkSync('/proc/self/pagemap', c),
    /config\.json is larger than 16 MiB\n$/,
  ],
];
for (const [name, make, text] of NO_FILES) {
  test(`a config.json that is ${name}: create says so soon`, async () => {
    const bundle = host.bundle();
    rmSync(join(bundle, 'config.json'));
    make(join(bundle, 'config.json'));
    const begun = performance.now();
    const { status, stdout, stderr } = host.run(['create', '--bundle', bundle, 'hostile']);
    assert.ok(performance.now() - begun < 10_000);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, text);
    assert.deepEqual(await host.leftovers('hostile'), []);
  });
}
