// SPDX-License-Identifier: MIT
// Marker guests with the real monitor and agent. The lab's own marker init runs on a terminal, and
// so do others that misbehave.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CreateOptions, Host, STATE_ROOT } from '../fixtures/host.ts';
import { configJson, processJson } from '../fixtures/spec.ts';

const host = new Host({ guestProtocol: 'marker', markerRootfs: '' });
// The rest of a failing test would keep this process alive.
after(() => host.remove());
const SILENT = { status: 0, stdout: '', stderr: '' };
const status = (id: string): string => JSON.parse(host.run(['state', id]).stdout).status;

interface Ended {
  status: number | undefined;
  stdout: string;
  stderr: string;
}

async function run(id: string, options: CreateOptions): Promise<Ended> {
  const c = host.create(id, options);
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', id]), SILENT);
  const ended = { status: await c.exit, stdout: c.text('stdout'), stderr: c.text('stderr') };
  assert.deepEqual(host.run(['delete', id]), SILENT);
  assert.deepEqual(await host.leftovers(id), []);
  return ended;
}

/** A guest with another init. script does everything between boot and its end. */
async function withInit<T>(script: string, body: () => Promise<T>): Promise<T> {
  const file = join(host.folder, 'bin/vxn-init.sh');
  renameSync(file, `${file}.kept`);
  writeFileSync(file, script);
  try {
    return await body();
  } finally {
    renameSync(`${file}.kept`, file);
  }
}

test('output, exit status, and a root without a trace of ours', async () => {
  const bundle = host.script('echo hello; ls -a / | grep vxn; grep vxn /proc/mounts; exit 7');
  assert.deepEqual(await run('plain', { bundle }), { status: 7, stdout: 'hello\n', stderr: '' });
});

test('arguments, environment, directory, user and groups arrive', async () => {
  const script =
    'for a; do printf "[%s]" "$a"; done; echo; tr "\\0" "\\n" < /proc/1/environ; pwd; id -u; id -g; id -G; hostname; umask';
  const words = ['a b', "'", '"', '$HOME `id` \\', '', '*', 'é 日本 🚀', 'x\ny', '-n', '%s'];
  const env = ['PATH=/bin', 'V= two  words "q" $x \'', 'HOME=/tmp', 'odd.name=1', 'L=x\ny'];
  const process = processJson({
    args: ['/bin/sh', '-c', script, 'sh', ...words],
    env,
    cwd: '/tmp',
    user: { uid: 1234, gid: 5678, additionalGids: [9, 10], umask: 0o27 },
  });
  const { stdout, ...rest } = await run('words', { bundle: host.bundle({ process }) });
  assert.deepEqual(rest, { status: 0, stderr: '' });
  const lines = [...env, '/tmp', '1234', '5678', '5678 9 10', 'box', '0027'];
  assert.equal(stdout, `${words.map((w) => `[${w}]`).join('')}\n${lines.join('\n')}\n`);
});

test('more environment than a kernel command line holds', async () => {
  const env = ['PATH=/bin', ...Array.from({ length: 200 }, (_, i) => `VARIABLE_${i}=${'x'.repeat(100)}`)];
  const process = processJson({ args: ['/bin/sh', '-c', 'env | grep -c VARIABLE_.*xxxx'], env });
  assert.equal((await run('large', { bundle: host.bundle({ process }) })).stdout, '200\n');
});

test('the program runs not before start, and not when it is never started', async () => {
  const c = host.create('idle', { bundle: host.script('echo ran') });
  assert.equal(await c.created, 0);
  assert.equal(status('idle'), 'created');
  assert.match(host.run(['pause', 'idle']).stderr, /^container not running \(its domain waits for start\)/);
  assert.equal(host.run(['logs', '--console', 'idle']).stdout, '');
  assert.deepEqual(host.run(['delete', 'idle']), SILENT);
  assert.equal(await c.exit, 137);
  assert.equal(c.text('stdout'), '');
  assert.deepEqual(await host.leftovers('idle'), []);
});

const OUTPUTS: [name: string, script: string, expected: string][] = [
  ['without a last line feed', 'printf hello', 'hello'],
  ['none', 'true', ''],
  ['carriage returns', "printf 'a\\r\\nb\\rc\\n'", 'a\r\nb\rc\n'],
  ['stderr beside it', 'echo out; echo err >&2', 'out\nerr\n'],
  [
    'the markers themselves',
    'for i in 1 2; do echo ===OUTPUT_START===; echo ===OUTPUT_END===; echo ===EXIT_CODE=9===; done; echo end',
    `${'===OUTPUT_START===\n===OUTPUT_END===\n===EXIT_CODE=9===\n'.repeat(2)}end\n`,
  ],
];
for (const [i, [name, script, expected]] of OUTPUTS.entries()) {
  test(`output: ${name}`, async () => {
    const { status, stdout } = await run(`out${i}`, { bundle: host.script(script) });
    assert.deepEqual([status, stdout], [0, expected]);
  });
}

test('256 KiB of lines come out intact, also to a reader that waits', async () => {
  const bundle = host.script('seq 1 45000');
  const c = host.create('long', { bundle });
  assert.equal(await c.created, 0);
  c.stdout.pause();
  assert.deepEqual(host.run(['start', 'long']), SILENT);
  // The monitor has all of the output and waits for us, because it is more than a pipe holds.
  while (!host.run(['logs', 'long']).stdout.includes('45000\n')) await sleep(50);
  assert.notEqual(status('long'), 'creating');
  c.stdout.resume();
  assert.equal(await c.exit, 0);
  const expected = Array.from({ length: 45000 }, (_, i) => `${i + 1}\n`).join('');
  assert.equal(c.text('stdout'), expected);
  assert.deepEqual(host.run(['delete', 'long']), SILENT);
});

/** This is more than a pipe and the monitor's window hold. */
const LONG = 'seq 1 400000';

/**
 * Waits until the program has ended and its monitor has all of its output. Gives the pid of that
 * monitor.
 */
async function ended(id: string): Promise<number> {
  const { pid } = JSON.parse(host.run(['state', id]).stdout) as { pid: number };
  const file = join(host.places(id).run, 'exit');
  for (let i = 0; i < 600 && !existsSync(file); i++) await sleep(50);
  assert.ok(existsSync(file));
  return pid;
}

/** The content of a pipe now. */
function drain(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(65536);
    try {
      const n = readSync(fd, chunk);
      if (n === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, n));
    } catch {
      return Buffer.concat(chunks);
    }
  }
}

test('a pipe that takes all of the window at once gets the rest, too', async () => {
  const fifo = join(host.folder, 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const other = openSync(fifo, 'w');
  const words = ['--root', STATE_ROOT, 'create', '--bundle', host.script(LONG), 'whole'];
  const stdio = ['ignore' as const, other, 'ignore' as const];
  assert.equal(spawnSync(host.runtime, words, { env: host.env(), stdio }).status, 0);
  closeSync(other);
  assert.deepEqual(host.run(['start', 'whole']), SILENT);
  const pid = await ended('whole');
  process.kill(pid, 'SIGSTOP');
  await sleep(100);
  const parts = [drain(fd)];
  process.kill(pid, 'SIGCONT');
  for (let i = 0; i < 100 && !parts.at(-1)?.toString().endsWith('400000\n'); i++) {
    await sleep(50);
    parts.push(drain(fd));
  }
  closeSync(fd);
  const expected = Array.from({ length: 400_000 }, (_, i) => `${i + 1}\n`).join('');
  assert.ok(Buffer.concat(parts).toString() === expected);
  assert.deepEqual(host.run(['delete', 'whole']), SILENT);
});

test('a signal ends the wait for a reader that takes nothing', async () => {
  const c = host.create('unread', { bundle: host.script(LONG) });
  assert.equal(await c.created, 0);
  c.stdout.pause();
  assert.deepEqual(host.run(['start', 'unread']), SILENT);
  const pid = await ended('unread');
  process.kill(pid, 'SIGTERM');
  const gone = (): boolean => !existsSync(`/proc/${pid}`);
  for (let i = 0; i < 100 && !gone(); i++) await sleep(50);
  assert.ok(gone());
  c.stdout.resume();
  assert.equal(await c.exit, 0);
  assert.deepEqual(host.run(['delete', 'unread']), SILENT);
});

test('a program that is not there is refused by create', async () => {
  const c = host.create('missing', { bundle: host.bundle({ process: processJson({ args: ['/no/such'] }) }) });
  assert.equal(await c.created, 1);
  assert.match(c.text('stderr'), /no such file or directory/);
  assert.deepEqual(await host.leftovers('missing'), []);
});

// Only the guest knows the files that a mount covers.
const UNSTARTABLE: [path: string, options: string[], status: number, text: RegExp][] = [
  ['/tmp/sh', [], 127, /^vxn: exec: "\/tmp\/sh": stat \/tmp\/sh: no such file or directory\n$/],
  ['/tmp', [], 126, /^vxn: exec: "\/tmp": /],
];
for (const [i, [path, options, expected, text]] of UNSTARTABLE.entries()) {
  test(`a program that the guest does not find: ${path}`, async () => {
    const tmp = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options };
    const mounts = [...(configJson().mounts as object[]), tmp];
    const bundle = host.bundle({ process: processJson({ args: [path] }), mounts });
    const { status, stdout } = await run(`bad${i}`, { bundle });
    assert.deepEqual([status, stdout], [expected, stdout]);
    assert.match(stdout, text);
  });
}

test('a root without a shell, without /bin and /usr', async () => {
  const bundle = join(host.folder, 'tiny');
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  copyFileSync('/bin/busybox', join(bundle, 'rootfs/echo'));
  chmodSync(join(bundle, 'rootfs/echo'), 0o755);
  const process = processJson({ args: ['/echo', 'a  b', '*'] });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configJson({ process })));
  assert.deepEqual(await run('tiny', { bundle }), { status: 0, stdout: 'a  b *\n', stderr: '' });
});

test('bind mounts, a read-only root', async () => {
  const file = join(host.folder, 'hosts');
  writeFileSync(file, '10.0.0.1 x\n');
  const mounts = [
    ...(configJson().mounts as object[]),
    { destination: '/etc/hosts', source: file, type: 'bind', options: ['rbind'] },
  ];
  const root = { path: 'rootfs', readonly: true };
  const bundle = host.script('cat /etc/hosts; touch /x 2>&1', { mounts, root });
  const { status, stdout } = await run('ro', { bundle });
  assert.deepEqual([status, stdout], [1, '10.0.0.1 x\ntouch: /x: Read-only file system\n']);
});

const SIGNALS: [args: string[], status: number][] = [
  [['KILL'], 137],
  [['TERM'], 143],
  [['--all', 'INT'], 130],
];
for (const [args, expected] of SIGNALS) {
  test(`kill ${args.join(' ')}: the domain goes`, async () => {
    const c = host.create('sleeper', { bundle: host.script('sleep 600') });
    assert.equal(await c.created, 0);
    assert.deepEqual(host.run(['start', 'sleeper']), SILENT);
    for (const harmless of ['WINCH', 'CHLD', 'CONT']) {
      assert.deepEqual(host.run(['kill', 'sleeper', harmless]), SILENT);
    }
    assert.equal(status('sleeper'), 'running');
    const flags = args.filter((a) => a.startsWith('--'));
    assert.deepEqual(host.run(['kill', ...flags, 'sleeper', args.at(-1) ?? '']), SILENT);
    assert.equal(await c.exit, expected);
    assert.deepEqual(host.run(['delete', 'sleeper']), SILENT);
    assert.deepEqual(await host.leftovers('sleeper'), []);
  });
}

const BROKEN: [name: string, init: string, status: number, stdout: string, stderr: RegExp][] = [
  ['says nothing', 'exit 0', 255, '', /^vxn: the guest powered off without an exit status/],
  ['fails', 'echo ===ERROR===; echo no disk; exit 1', 255, '', /^vxn: the guest failed: no disk\n$/],
  ['forgets the end', 'echo ===OUTPUT_START===; echo x', 255, 'x\n', /without an exit status/],
  [
    'forgets the status',
    'echo ===OUTPUT_START===; echo x; echo ===OUTPUT_END===',
    255,
    'x\n',
    /without an exit status/,
  ],
  [
    'has no such status',
    'echo ===OUTPUT_START===; echo ===OUTPUT_END===; echo ===EXIT_CODE=300===',
    255,
    '',
    /^$/,
  ],
  ['is noisy', 'head -c 300000 /dev/urandom; echo; echo ===EXIT_CODE=3===', 3, '', /^$/],
  [
    'writes a marker in pieces',
    'printf ===OUTPUT_; sleep 0.2; echo START===; printf "x===OUTPUT_EN"; sleep 0.2; echo D===; printf "===EXIT_"; sleep 0.2; echo CODE=5===',
    5,
    'x',
    /^$/,
  ],
  [
    'goes on after its end',
    'echo ===OUTPUT_START===; echo a; echo ===OUTPUT_END===; echo ===EXIT_CODE=1===; sleep 0.5; echo b; echo ===OUTPUT_END===; echo ===EXIT_CODE=2===',
    2,
    'a\n===OUTPUT_END===\n===EXIT_CODE=1===\nb\n',
    /^$/,
  ],
];
for (const [i, [name, init, expected, stdout, stderr]] of BROKEN.entries()) {
  test(`a guest that ${name}`, () =>
    withInit(init, async () => {
      const result = await run(`broken${i}`, { bundle: host.script('true') });
      assert.deepEqual([result.status, result.stdout], [expected, stdout]);
      assert.match(result.stderr, stderr);
    }));
}

test('a guest that shuts down as meta-virtualization does is not waited for', () =>
  withInit(
    'echo ===OUTPUT_START===; echo x; echo ===OUTPUT_END===; echo ===EXIT_CODE=4===; echo "=== Shutting down gracefully ==="; sleep 600',
    async () => {
      const begin = performance.now();
      assert.deepEqual(await run('quick', { bundle: host.script('true') }), {
        status: 4,
        stdout: 'x\n',
        stderr: '',
      });
      assert.ok(performance.now() - begin < 10_000);
    },
  ));

test('the domain is destroyed by somebody else', async () => {
  const c = host.create('gone', { bundle: host.script('sleep 600') });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'gone']), SILENT);
  const [domain] = host.domains();
  spawnSync(host.config.xl, ['destroy', domain ?? '']);
  assert.equal(await c.exit, 255);
  assert.match(c.text('stderr'), /^vxn: .*without an exit status/);
  assert.deepEqual(host.run(['delete', 'gone']), SILENT);
});

test('ps shows the monitor; what would need the guest to answer is refused', async () => {
  const c = host.create('alone', { bundle: host.script('sleep 600') });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'alone']), SILENT);
  const ps = JSON.parse(host.run(['ps', '--format', 'json', 'alone']).stdout) as number[];
  assert.deepEqual(ps, [Number(readFileSync(c.pidFile, 'utf8'))]);
  assert.match(
    host.run(['events', '--stats', 'alone']).stderr,
    /^a marker guest cannot be asked for its figures\n$/,
  );
  assert.match(
    host.run(['update', '--memory', '64m', 'alone']).stderr,
    /memory of a marker guest cannot be changed/,
  );
  host.run(['delete', '--force', 'alone']);
});

test('create refuses a Dom0 without vxn-agent, and leaves nothing', async () => {
  const agent = join(host.folder, 'bin/vxn-agent');
  renameSync(agent, `${agent}.away`);
  try {
    const c = host.create('noagent', { bundle: host.script('true') });
    assert.equal(await c.created, 1);
    assert.match(c.text('stderr'), /vxn-agent: no such file or directory \(a marker guest runs it/);
    assert.deepEqual(await host.leftovers('noagent'), []);
  } finally {
    renameSync(`${agent}.away`, agent);
  }
});

test('one container of many is a marker guest by its annotation', async () => {
  const agents = new Host({ annotations: ['guest-protocol'], markerRootfs: '/images/rootfs.img' });
  const name = 'org.openembedded.vxn.guest-protocol';
  const bad = agents.create('bad', { bundle: agents.bundle({ annotations: { [name]: 'other' } }) });
  assert.equal(await bad.created, 1);
  assert.match(bad.text('stderr'), /guest-protocol must be agent or marker, not "other"/);
  const c = agents.create('one', { bundle: agents.script('exit 5', { annotations: { [name]: 'marker' } }) });
  assert.equal(await c.created, 0);
  const cfg = readFileSync(agents.domainPlaces('one').config, 'utf8');
  assert.match(
    cfg,
    /"format=raw,vdev=xvda,access=ro,[^"]*,target=\/images\/rootfs.img", "format=raw,vdev=xvdb,access=rw,/,
  );
  assert.deepEqual(agents.run(['start', 'one']), SILENT);
  assert.equal(await c.exit, 5);
  assert.deepEqual(agents.run(['delete', 'one']), SILENT);
});

const DEVPTS = {
  destination: '/dev/pts',
  type: 'devpts',
  source: 'devpts',
  options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
};

/** A bundle whose script has a terminal. */
const interactive = (script: string): string =>
  host.bundle({
    process: processJson({
      args: ['/bin/sh', '-c', script],
      terminal: true,
      consoleSize: { height: 30, width: 100 },
    }),
    mounts: [...(configJson().mounts as object[]), DEVPTS],
  });

test("a terminal: the engine has the domain's console, and the program's status is known", async () => {
  const { terminal, socket } = await host.listen();
  const script =
    "trap 'i=1; echo int' INT; stty size; tty; read x; echo got $x; until [ $i ]; do sleep 0.1; done; read y; echo $y; exit 3";
  const c = host.create('term', { bundle: interactive(script), args: ['--console-socket', socket] });
  assert.equal(await c.created, 0, c.text('stderr'));
  await terminal.hears(/^terminal \/dev\/pts\/\d+$/m);
  assert.equal(terminal.text, '', 'nothing runs before start');
  assert.deepEqual(host.run(['start', 'term']), SILENT);
  await terminal.sees(/^30 100\r\n\/dev\/pts\/0\r\n$/);
  terminal.type('abX\x7fc\r');
  await terminal.sees(/got abc\r\n/);
  terminal.type('\x03');
  await terminal.sees(/\^C.*int\r\n/s);
  terminal.type('end\r');
  await terminal.sees(/end\r\n$/);
  assert.equal(await c.exit, 3);
  await terminal.closed;
  assert.deepEqual(host.run(['delete', 'term']), SILENT);
  assert.deepEqual(await host.leftovers('term'), []);
});

test('a terminal: all of the output arrives, however late it is read', async () => {
  const { terminal, socket } = await host.listen();
  const script = 'read x; stty -opost; seq 1 500; exit 4';
  const c = host.create('late', { bundle: interactive(script), args: ['--console-socket', socket] });
  assert.equal(await c.created, 0);
  await terminal.hears(/^terminal/m);
  assert.deepEqual(host.run(['start', 'late']), SILENT);
  terminal.type('go\r');
  await terminal.sees(/\n500\n$/);
  assert.equal(await c.exit, 4);
  host.run(['delete', 'late']);
});

test('a terminal: SIGTERM, an engine that is not there, and `run`', async () => {
  const { terminal, socket } = await host.listen();
  const c = host.create('tterm', { bundle: interactive('sleep 600'), args: ['--console-socket', socket] });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'tterm']), SILENT);
  assert.deepEqual(host.run(['kill', 'tterm', 'TERM']), SILENT);
  assert.equal(await c.exit, 143);
  await terminal.closed;
  host.run(['delete', 'tterm']);

  const nobody = host.create('nobody', {
    bundle: interactive('true'),
    args: ['--console-socket', '/no/socket'],
  });
  assert.equal(await nobody.created, 1);
  assert.match(nobody.text('stderr'), /cannot send the terminal over the console socket: No such file/);
  assert.deepEqual(await host.leftovers('nobody'), []);

  const run = host.run(['run', '--bundle', interactive('true'), 'alone']);
  assert.match(run.stderr, /^a marker guest cannot have the terminal of `run`/);
});
