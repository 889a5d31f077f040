// SPDX-License-Identifier: MIT
// Failures: one clear line, on stderr and in --log, status 1, and nothing left behind.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';
import { configJson, processJson, replaced } from '../fixtures/spec.ts';

const host = new Host();
let made = 0;

/**
 * Runs create with a JSON log. Checks everything that holds for every failure. Gives the message.
 */
async function refused(id: string, bundle: string): Promise<string> {
  const log = join(host.folder, `log${made++}.json`);
  const c = host.create(id, { bundle, globals: ['--log', log, '--log-format', 'json'] });
  assert.equal(await c.created, 1);
  await c.exit;
  assert.equal(c.text('stdout'), '');
  const lines = readFileSync(log, 'utf8').split('\n');
  assert.deepEqual([lines.length, lines[1]], [2, ''], 'one line in the log');
  const entry = JSON.parse(lines[0] ?? '') as { level: string; msg: string; time: string };
  assert.equal(entry.level, 'error');
  assert.ok(Math.abs(Date.parse(entry.time) - Date.now()) < 60_000);
  assert.equal(c.text('stderr'), `${entry.msg}\n`);
  assert.doesNotMatch(entry.msg, /internal error|\n|at .*\(.*:\d+:\d+\)/);
  assert.equal(existsSync(c.pidFile), false);
  return entry.msg;
}

const namespaces = (...types: string[]): Record<string, unknown> =>
  replaced(
    configJson(),
    'linux.namespaces',
    types.map((type) => ({ type })),
  ) as Record<string, unknown>;

/** A file with one hole of 65 MiB. */
function largeFile(): string {
  const file = join(host.folder, 'large');
  writeFileSync(file, '');
  truncateSync(file, 65 << 20);
  return file;
}

const INVALID: [name: string, bundle: () => string, text: string | RegExp][] = [
  ['a bundle that is not there', () => '/no/such', '/no/such/config.json: no such file or directory'],
  ['a bundle that is a file', () => '/etc/passwd', '/etc/passwd/config.json: ENOTDIR'],
  ['broken JSON', () => host.bundle('{ "ociVersion": '), /^config\.json: .*JSON/],
  ['an empty config.json', () => host.bundle(''), /^config\.json: .*JSON/],
  ['JSON that is no object', () => host.bundle('[]'), 'config.json: must be an object'],
  [
    'a wrong type',
    () => host.bundle({ process: processJson({ args: 'sh' }) }),
    'config.json: process.args must be a list',
  ],
  ['an unknown version', () => host.bundle({ ociVersion: '7.0.0' }), '"7.0.0" is not supported'],
  ['a version that is none', () => host.bundle({ ociVersion: 'latest' }), 'is not a version: "latest"'],
  [
    'a rootfs that is not there',
    () => host.bundle({ root: { path: 'no' } }),
    /^rootfs .*\/no does not exist$/,
  ],
  ['a rootfs that is a file', () => host.bundle({ root: { path: 'config.json' } }), 'is not a directory'],
  [
    'an unknown capability',
    () => host.bundle({ process: processJson({ capabilities: { bounding: ['CAP_X'] } }) }),
    'is not a capability: "CAP_X"',
  ],
  [
    'a bind of a socket',
    () => host.bundle({ mounts: [{ destination: '/d', type: 'bind', source: '/dev/null' }] }),
    '/dev/null is a device of the host',
  ],
  ['the network of the host', () => host.bundle(namespaces('pid', 'ipc')), "the host's network namespace"],
  [
    'the processes of the host',
    () => host.bundle(namespaces('network', 'ipc', 'uts', 'mount')),
    "the host's PID namespace cannot be shared",
  ],
  [
    'a bind of nothing',
    () => host.bundle({ mounts: [{ destination: '/d', type: 'bind', source: '/no/such/thing' }] }),
    '/no/such/thing: no such file or directory',
  ],
  [
    'a bind of more than fits',
    () => host.bundle({ mounts: [{ destination: '/d', type: 'bind', source: largeFile() }] }),
    'too large: bind mounts are copied into the guest, at most 64 MiB',
  ],
];
for (const [name, bundle, text] of INVALID) {
  test(`create refuses ${name}`, async () => {
    const id = `bad${made}`;
    const message = await refused(id, bundle());
    if (typeof text === 'string') assert.ok(message.includes(text), message);
    else assert.match(message, text);
    assert.deepEqual(await host.leftovers(id), []);
  });
}

for (const id of ['a/b', '../x', '..', '.', 'a b', 'ü', `${'x'.repeat(1025)}`]) {
  test(`create refuses the id ${JSON.stringify(id.slice(0, 10))}`, async () => {
    assert.match(await refused(id, host.bundle()), /^invalid container ID: "/);
    for (const verb of ['state', 'start', 'kill', 'delete']) assert.equal(host.run([verb, id]).status, 1);
    assert.equal(host.run(['delete', '--force', id]).status, 1);
  });
}

test('a container that is not there: one line, from every verb that changes one', () => {
  for (const verb of ['start', 'kill', 'delete', 'pause', 'resume']) {
    const { status, stdout, stderr } = host.run([verb, 'nobody']);
    assert.deepEqual([status, stdout], [1, ''], verb);
    assert.equal(stderr, 'container does not exist\n', verb);
  }
});

test('a config.json without process can be made, not started', async () => {
  const bundle = host.bundle({ process: undefined });
  const c = host.create('empty', { bundle });
  assert.equal(await c.created, 0, c.text('stderr'));
  const { status, stderr } = host.run(['start', 'empty']);
  assert.deepEqual([status, stderr], [1, 'config.json: process is missing, so there is nothing to start\n']);
  assert.equal(JSON.parse(host.run(['state', 'empty']).stdout).status, 'created');
  assert.equal(host.run(['delete', 'empty']).status, 0);
});

const USAGE: [argv: string[], text: RegExp][] = [
  [['frobnicate', 'x'], /^unknown command "frobnicate"/],
  [['strat', 'x'], /^unknown command "strat" \(did you mean start\?\)$/],
  [['create'], /^create takes ID, got 0 argument\(s\)$/],
  [['state', 'a', 'b'], /^state takes ID, got 2 argument\(s\)$/],
  [['delete', '--fore', 'x'], /^unknown option --fore \(did you mean --force\?\)$/],
  [['list', '--format', 'xml'], /^unknown format "xml"/],
  [
    [
      ...[
        'checkpoint',
        '--image-path',
        '/i',
        '--work-path',
        '/w',
        '--tcp-established',
        '--ext-unix-sk',
        '--shell-job',
      ],
      ...['--file-locks', '--empty-ns', 'network', '--leave-running', 'x'],
    ],
    /^checkpoint is not supported: there is no CRIU for a Xen domain \(pause and resume are supported\)$/,
  ],
  [
    [
      ...[
        'restore',
        '--image-path',
        '/i',
        '--work-path',
        '/w',
        '--detach',
        '--pid-file',
        '/p',
        '--console-socket',
        '/s',
      ],
      ...['--no-pivot', '-no-subreaper', '--bundle', '/b', 'x'],
    ],
    /^restore is not supported: there is no CRIU for a Xen domain/,
  ],
  [['spec', '--bundle', '/no/such'], /^\/no\/such: no such directory \(is --bundle right\?\)$/],
];
for (const [argv, text] of USAGE) {
  test(`usage: ${argv.join(' ')}`, () => {
    const log = join(host.folder, `usage${made++}`);
    const { status, stdout, stderr } = host.run(argv, { globals: ['--log', log, '--log-format=json'] });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr.trimEnd(), text);
    assert.equal(`${JSON.parse(readFileSync(log, 'utf8')).msg}\n`, stderr);
  });
}

test('the log is made even when nothing is logged, and text is its default format', () => {
  const log = join(host.folder, 'text.log');
  assert.equal(host.run(['list'], { globals: ['--log', log] }).status, 0);
  assert.equal(readFileSync(log, 'utf8'), '');
  host.run(['state', 'nobody'], { globals: [`--log=${log}`] });
  assert.match(readFileSync(log, 'utf8'), /^time="[^"]+" level=error msg="container does not exist"\n$/);
});

test('a log in a folder that is gone does not hide the error, and delete --force stays silent', () => {
  const globals = ['--log', join(host.folder, 'gone/log.json'), '--log-format', 'json'];
  const state = host.run(['state', 'nobody'], { globals });
  assert.equal(state.status, 1);
  assert.match(state.stderr, /container does not exist/);
  assert.deepEqual(host.run(['delete', '--force', 'nobody'], { globals }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
});

const FAULTS: [fault: string, text: RegExp][] = [
  ['create-fails', /^xl create failed: cannot build the domain$/],
  ['create-lacks-memory', /^xl create failed: not enough free memory \(Xen has too little free memory/],
  ['create-fails-late', /^xl create failed: lost connection to xenstore \(is this a Xen Dom0/],
  ['monitor-dies', /^vxn-monitor: died at once$/],
  ['monitor-finds-nothing', /^vxn-monitor: no domain has the container's UUID/],
];
for (const [fault, text] of FAULTS) {
  test(`create takes everything back: ${fault}`, async () => {
    host.fault(fault);
    try {
      assert.match(await refused(fault, host.bundle()), text);
      assert.deepEqual(await host.leftovers(fault), []);
    } finally {
      host.fault(undefined);
    }
    // The id is free again.
    const c = host.create(fault);
    assert.equal(await c.created, 0, c.text('stderr'));
    assert.equal(host.run(['delete', fault]).status, 0);
  });
}

const BROKEN: [name: string, config: object, text: RegExp][] = [
  ['no xl', { xl: '/no/xl' }, /^\/no\/xl: command not found \(install the Xen tools/],
  ['no mke2fs', { mke2fs: '/no/mke2fs' }, /^\/no\/mke2fs: command not found \(install e2fsprogs\)$/],
  ['no monitor', { libexecDir: '/no' }, /^cannot start \/no\/vxn-monitor: .*ENOENT/],
  ['mke2fs that fails', { mke2fs: '/bin/false' }, /^cannot build the root disk: status 1$/],
];
for (const [name, change, text] of BROKEN) {
  test(`create takes everything back: ${name}`, async () => {
    const settings = join(host.folder, `broken${made++}.json`);
    writeFileSync(settings, JSON.stringify({ ...host.config, ...change }));
    const c = host.create('broken', { env: { VXN_CONFIG: settings } });
    assert.equal(await c.created, 1);
    await c.exit;
    assert.match(c.text('stderr').trimEnd(), text);
    assert.deepEqual(await host.leftovers('broken'), []);
  });
}

test('a domain that will not go: delete says so, and a later one finishes', async () => {
  const c = host.create('stuck');
  assert.equal(await c.created, 0);
  host.fault('destroy-fails');
  const { status, stderr } = host.run(['delete', '--force', 'stuck']);
  assert.equal(status, 1);
  assert.match(stderr, /^domain \d+ \(vxn-stuck-.*\) could not be destroyed \(.*then delete again\)\n$/);
  host.fault(undefined);
  assert.equal(host.run(['delete', '--force', 'stuck']).status, 0);
  assert.deepEqual(await host.leftovers('stuck'), []);
});

test('xenstore that does not answer: delete says so and forgets nothing', async () => {
  const c = host.create('unasked');
  assert.equal(await c.created, 0);
  process.kill(Number(readFileSync(c.pidFile, 'utf8')), 'SIGKILL');
  host.fault('no-xenstore');
  const { status, stderr } = host.run(['delete', '--force', 'unasked']);
  assert.equal(status, 1);
  assert.match(stderr, /xenstore-read failed: .*xs_open: No such file or directory/);
  assert.equal(JSON.parse(host.run(['state', 'unasked']).stdout).status, 'stopped');
  host.fault(undefined);
  assert.equal(host.run(['delete', '--force', 'unasked']).status, 0);
  assert.deepEqual(await host.leftovers('unasked'), []);
});

test('a domain of the same id that is not ours is not touched', async () => {
  const c = host.create('foreign');
  assert.equal(await c.created, 0);
  const [domain = ''] = host.domains();
  const uuid = join(host.folder, 'domains', domain, 'uuid');
  const ours = readFileSync(uuid);
  writeFileSync(uuid, '00000000-0000-0000-0000-000000000000\n');
  assert.equal(host.run(['delete', '--force', 'foreign']).status, 0);
  assert.deepEqual(host.domains(), [domain]);
  writeFileSync(uuid, ours);
});

test('settings that are wrong', () => {
  const settings = join(host.folder, 'wrong.json');
  writeFileSync(settings, '{ "memroy": 1 }');
  const { status, stderr } = host.run(['list'], { env: { VXN_CONFIG: settings } });
  assert.deepEqual([status, stderr], [1, `${settings}: unknown key "memroy"\n`]);
});
