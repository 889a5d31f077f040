// SPDX-License-Identifier: MIT
// What config.json asks for to confine the program, by the real agent on this machine.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
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

/** A whole life; fails unless create and start succeed. */
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
