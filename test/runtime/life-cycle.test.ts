// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';
import { processJson } from '../fixtures/spec.ts';

const host = new Host({ timelineDir: '' });
const state = (id: string): Record<string, unknown> => JSON.parse(host.run(['state', id]).stdout);
const SILENT = { status: 0, stdout: '', stderr: '' };

test('create, start, exit, delete: what an engine sees', async () => {
  const bundle = host.script('exit 7', { annotations: { 'a.b': 'c d' } });
  const c = host.create('life', { bundle });
  assert.equal(await c.created, 0);

  const pid = readFileSync(c.pidFile, 'utf8');
  assert.match(pid, /^[1-9]\d*$/, 'digits, no newline');
  assert.equal(statSync(c.pidFile).mode & 0o777, 0o600);
  const created = state('life');
  assert.deepEqual(
    { ...created, created: '' },
    {
      ociVersion: '1.3.0',
      id: 'life',
      pid: Number(pid),
      status: 'created',
      bundle,
      rootfs: join(bundle, 'rootfs'),
      created: '',
      annotations: { 'a.b': 'c d' },
      owner: 'root',
    },
  );
  assert.ok(Math.abs(Date.parse(created.created as string) - Date.now()) < 60_000);
  assert.equal(host.domains().length, 1);

  assert.deepEqual(host.run(['start', 'life']), SILENT);
  assert.equal(await c.exit, 7);
  assert.deepEqual([state('life').status, state('life').pid], ['stopped', 0]);
  assert.deepEqual(host.run(['delete', 'life']), SILENT);
  assert.deepEqual(await host.leftovers('life'), []);
});

test('the program runs not before start, and not when it is never started', async () => {
  const c = host.create('idle', { bundle: host.script('echo ran') });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['delete', 'idle']), SILENT);
  assert.equal(await c.exit, 137);
  assert.equal(c.text('stdout'), '');
  assert.deepEqual(await host.leftovers('idle'), []);
});

const STATUSES: [script: string, status: number][] = [
  ['exit 0', 0],
  ['exit 255', 255],
  // Its own signals do not reach process 1 of a PID namespace, here as with runc. They do reach a
  // child of it.
  ["sh -c 'kill -TERM $$'; exit $?", 143],
  ['kill -9 $$; exit 5', 5],
];
for (const [i, [script, status]] of STATUSES.entries()) {
  test(`exit status of ${script}: ${status}`, async () => {
    const c = host.create(`status${i}`, { bundle: host.script(script) });
    assert.equal(await c.created, 0);
    assert.deepEqual(host.run(['start', `status${i}`]), SILENT);
    assert.equal(await c.exit, status);
    assert.deepEqual(host.run(['delete', `status${i}`]), SILENT);
  });
}

const ABSENT: [name: string, process: Record<string, unknown>, stderr: RegExp][] = [
  ['a program that is not in PATH', { args: ['frobnicate'] }, /executable file not found in \$PATH/],
  ['a program that is not there', { args: ['/no/such'] }, /stat \/no\/such: no such file or directory/],
  ['one beside the working directory', { args: ['./sh'], cwd: '/etc' }, /no such file or directory/],
  ['a file that is no program', { args: ['/etc/note'] }, /permission denied/],
];
for (const [i, [name, change, stderr]] of ABSENT.entries()) {
  test(`create fails on ${name}, says so and leaves nothing`, async () => {
    const c = host.create(`absent${i}`, { bundle: host.bundle({ process: processJson(change) }) });
    assert.equal(await c.created, 1);
    await c.exit;
    assert.match(c.text('stderr'), stderr);
    assert.deepEqual(await host.leftovers(`absent${i}`), []);
  });
}

const MOUNTED = [{ destination: '/opt', type: 'tmpfs', source: 'tmpfs' }];
const UNSTARTABLE: [name: string, process: Record<string, unknown>, stderr: RegExp, status: number][] = [
  ['is not in PATH', { args: ['x'], env: ['PATH=/opt'] }, /executable file not found in \$PATH/, 127],
  ['is not there', { args: ['/opt/such'] }, /no such file or directory/, 127],
  [
    'may not be executed by its user',
    { args: ['/bin/own'], user: { uid: 5, gid: 5 } },
    /permission denied/,
    126,
  ],
];
for (const [i, [name, change, stderr, status]] of UNSTARTABLE.entries()) {
  test(`start fails when what only the guest can know is that the program ${name}, and says so`, async () => {
    const bundle = host.bundle({ process: processJson(change), mounts: MOUNTED });
    writeFileSync(join(bundle, 'rootfs/bin/own'), '', { mode: 0o700 });
    const c = host.create(`bad${i}`, { bundle });
    assert.equal(await c.created, 0);
    const result = host.run(['start', `bad${i}`]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, stderr);
    assert.equal(result.stderr.trim().split('\n').length, 1);
    assert.equal(await c.exit, status);
    assert.deepEqual(host.run(['delete', `bad${i}`]), SILENT);
    assert.deepEqual(await host.leftovers(`bad${i}`), []);
  });
}

test('arguments, environment, directory, user and groups arrive', async () => {
  const args = [
    '/bin/sh',
    '-c',
    'for a; do printf "[%s]" "$a"; done; echo; echo "$V"; pwd; id -u; id -g; id -G',
    'sh',
  ];
  const words = ['a b', "'", '"', '$HOME', '', '*', 'é', 'x\ny'];
  const process = processJson({
    args: [...args, ...words],
    env: ['PATH=/bin', 'V= two  words "q" $x '],
    cwd: '/tmp',
    user: { uid: 1234, gid: 5678, additionalGids: [9, 10] },
  });
  const c = host.create('args', { bundle: host.bundle({ process }) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'args']), SILENT);
  assert.equal(await c.exit, 0);
  const expected = `${words.map((w) => `[${w}]`).join('')}\n two  words "q" $x \n/tmp\n1234\n5678\n5678 9 10\n`;
  assert.equal(c.text('stdout'), expected);
  host.run(['delete', 'args']);
});

test('config.json is copied at create: a later change has no effect', async () => {
  const bundle = host.script('exit 3');
  const c = host.create('copied', { bundle });
  assert.equal(await c.created, 0);
  writeFileSync(join(bundle, 'config.json'), '{');
  assert.deepEqual(host.run(['start', 'copied']), SILENT);
  assert.equal(await c.exit, 3);
  host.run(['delete', 'copied']);
});

test('the bundle is only read, and may be gone at delete', async () => {
  const bundle = host.script('echo changed > /tmp/file; echo gone > /etc/x');
  const c = host.create('bundle', { bundle });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'bundle']), SILENT);
  assert.equal(await c.exit, 0);
  assert.equal(existsSync(join(bundle, 'rootfs/tmp/file')), false);
  rmSync(bundle, { recursive: true });
  assert.deepEqual(host.run(['delete', 'bundle']), SILENT);
});

test('--bundle is the current folder by default', async () => {
  const bundle = host.script('true');
  assert.equal(host.createSilent('here', undefined, { cwd: bundle }), 0);
  assert.equal(state('here').bundle, bundle);
  host.run(['delete', '--force', 'here']);
});

test('bind mounts are copies, only read', async () => {
  const file = join(host.folder, 'hosts');
  writeFileSync(file, '10.0.0.1 x\n');
  const mounts = [{ destination: '/etc/hosts', source: file, type: 'bind', options: ['rbind'] }];
  const c = host.create('bind', {
    bundle: host.script('cat /etc/hosts; echo y > /etc/hosts || echo no', { mounts }),
  });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'bind']), SILENT);
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), '10.0.0.1 x\nno\n');
  assert.equal(readFileSync(file, 'utf8'), '10.0.0.1 x\n');
  host.run(['delete', 'bind']);
});

test('the monitor has a network namespace of its own, or the one that config.json names', async () => {
  const c = host.create('net', { bundle: host.script('sleep 60') });
  assert.equal(await c.created, 0);
  const link = (pid: string | number): string => String(statSync(`/proc/${pid}/ns/net`).ino);
  assert.notEqual(link(state('net').pid as number), link('self'));
  host.run(['delete', '--force', 'net']);
  const namespaces = [
    ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
    { type: 'network', path: '/proc/self/ns/net' },
  ];
  const d = host.create('net', { bundle: host.script('sleep 60', { linux: { namespaces } }) });
  assert.equal(await d.created, 0);
  assert.equal(link(state('net').pid as number), link('self'));
  host.run(['delete', '--force', 'net']);
});

test('list, timeline, logs and the console of a container', async () => {
  const c = host.create('seen', { bundle: host.script('echo to-out; echo to-err >&2') });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'seen']), SILENT);
  assert.equal(await c.exit, 0);
  const [row] = JSON.parse(host.run(['list', '--format', 'json']).stdout) as { id: string; status: string }[];
  assert.deepEqual([row?.id, row?.status], ['seen', 'stopped']);
  assert.equal(host.run(['list', '-q']).stdout, 'seen\n');
  assert.match(host.run(['list']).stdout, /^ID +PID +STATUS.*\nseen +0 +stopped /);
  assert.deepEqual(host.run(['logs', 'seen']), { status: 0, stdout: 'to-out\n', stderr: 'to-err\n' });
  assert.equal(host.run(['logs', '--console', 'seen']).status, 0);
  const { phases } = JSON.parse(host.run(['timeline', '--json', 'seen']).stdout) as {
    phases: { name: string }[];
  };
  assert.ok(phases.some((p) => p.name === 'xl create'));
  host.run(['delete', 'seen']);
  assert.equal(host.run(['list', '-q']).stdout, '');
});
