// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Created, Host } from '../fixtures/host.ts';
import { processJson } from '../fixtures/spec.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };
const failed = (text: string): object => ({ status: 255, stdout: '', stderr: `exec failed: ${text}\n` });
const FOREVER = 'while :; do sleep 1; done';

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!what() && Date.now() < deadline) await sleep(10);
  assert.ok(what());
}

async function running(id: string, script = FOREVER, change: Record<string, unknown> = {}): Promise<Created> {
  const c = host.create(id, { bundle: host.script(script, change) });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', id]), SILENT);
  return c;
}

const sh = (script: string): { process: Record<string, unknown> } => ({
  process: { args: ['/bin/sh', '-c', script] },
});

async function started(id: string, script: string): Promise<Created> {
  const e = host.exec(id, sh(script));
  assert.equal(await e.created, 0, e.text('stderr'));
  return e;
}

const pidOf = (e: Created): number => Number(readFileSync(e.pidFile, 'utf8'));
const pids = (id: string): number[] =>
  JSON.parse(host.run(['ps', '--format', 'json', id]).stdout) as number[];
/** The guest's processes, as seen from inside. */
const inside = (id: string): string => host.run(['exec', id, 'ps', '-o', 'args']).stdout;

// All tests that leave the container as it was share this one.
const ID = 'c';
let container: Created;
before(async () => {
  const user = { uid: 0, gid: 0 };
  container = await running(ID, FOREVER, {
    process: processJson({
      args: ['/bin/sh', '-c', FOREVER],
      env: ['PATH=/bin', 'A=1', 'B=2'],
      cwd: '/tmp',
      user,
      capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 200, hard: 300 }],
    }),
  });
});
after(async () => {
  assert.deepEqual(host.run(['delete', '--force', ID]), SILENT);
  assert.equal(await container.exit, 137);
  assert.deepEqual(await host.leftovers(ID), []);
  // The rest of a failing test would keep this process alive.
  host.remove();
});

test('streams stay apart, the status is the program’s, the pid file is digits', async () => {
  const e = await started(ID, 'echo out; echo err >&2; printf more; exit 7');
  assert.match(readFileSync(e.pidFile, 'latin1'), /^[1-9]\d*$/);
  assert.equal(await e.exit, 7);
  assert.deepEqual([e.text('stdout'), e.text('stderr')], ['out\nmore', 'err\n']);
});

test('stdin and its end reach the program; output comes while it runs', async () => {
  const e = await started(ID, 'read x; echo "got $x"; cat; echo end');
  e.stdin.write('word\n');
  await until(() => e.text('stdout') === 'got word\n');
  e.stdin.end('rest');
  assert.equal(await e.exit, 0);
  assert.equal(e.text('stdout'), 'got word\nrestend\n');
});

test('4 MiB and every byte value, also when the program ends at once after writing', async () => {
  const e = await started(ID, 'cat; head -c 4194304 /dev/zero; head -c 100000 /dev/zero >&2');
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const chunks: Buffer[] = [];
  e.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
  e.stdin.end(all);
  assert.equal(await e.exit, 0);
  const out = Buffer.concat(chunks);
  assert.ok(out.subarray(0, 256).equals(all));
  assert.equal(out.length, 256 + 4_194_304);
  assert.equal(e.text('stderr').length, 100_000);
});

test('a reader that stops stops neither the other stream nor other processes', async () => {
  const e = await started(ID, 'echo err1 >&2; head -c 3000000 /dev/zero; echo err2 >&2');
  e.stdout.pause();
  await until(() => e.text('stderr') === 'err1\n');
  assert.deepEqual(host.run(['exec', ID, 'echo', 'other']), { ...SILENT, stdout: 'other\n' });
  e.stdout.resume();
  assert.equal(await e.exit, 0);
  assert.equal(e.text('stderr'), 'err1\nerr2\n');
});

const SIGNALS: [NodeJS.Signals, number][] = [
  ['SIGHUP', 11],
  ['SIGTERM', 12],
  ['SIGUSR1', 13],
  ['SIGWINCH', 14],
];
test('signals sent to the monitor reach the program: that is how shims kill', async () => {
  for (const [signal, status] of SIGNALS) {
    const traps = `trap 'exit 11' HUP; trap 'exit 12' TERM; trap 'exit 13' USR1; trap 'exit 14' WINCH`;
    const e = await started(ID, `${traps}; echo ready; while :; do sleep 0.05; done`);
    await until(() => e.text('stdout') === 'ready\n');
    process.kill(pidOf(e), signal);
    assert.equal(await e.exit, status);
  }
});

test('a program that dies of a signal: 128 + its number', async () => {
  const e = await started(ID, 'kill -TERM $$');
  assert.equal(await e.exit, 143);
});

test('a monitor that is killed takes its process along, and no other', async () => {
  const [a, b] = [await started(ID, 'exec sleep 1001'), await started(ID, 'exec sleep 1002')];
  await until(() => /sleep 1001/.test(inside(ID)) && /sleep 1002/.test(inside(ID)));
  assert.deepEqual(
    pids(ID).sort(),
    [...pids(ID).filter((p) => p !== pidOf(a) && p !== pidOf(b)), pidOf(a), pidOf(b)].sort(),
  );
  process.kill(pidOf(a), 'SIGKILL');
  assert.equal(await a.exit, 137);
  await until(() => !/sleep 1001/.test(inside(ID)));
  assert.match(inside(ID), /sleep 1002/);
  assert.ok(pids(ID).includes(pidOf(b)));
  process.kill(pidOf(b), 'SIGTERM');
  assert.equal(await b.exit, 143);
  assert.equal(pids(ID).length, 1);
});

test('ps: a table for people, with the programs', async () => {
  const e = await started(ID, 'exec sleep 1003');
  const { status, stdout } = host.run(['ps', ID]);
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^PID +KIND +PROGRAM$/);
  assert.match(lines[1] ?? '', /^\d+ +container +\/bin\/sh$/);
  assert.match(lines[2] ?? '', new RegExp(`^${pidOf(e)} +exec +/bin/sh$`));
  assert.equal(lines.length, 3);
  const title = readFileSync(`/proc/${pidOf(e)}/cmdline`, 'latin1').replaceAll('\0', ' ');
  assert.match(title, /exec --id c --program \/bin\/sh /);
  assert.doesNotMatch(title, /sleep/);
  process.kill(pidOf(e), 'SIGKILL');
  await e.exit;
  assert.equal(host.run(['ps', '--format', 'yaml', ID]).stderr, 'unknown format "yaml" (table or json)\n');
});

test('the monitor holds its stdio and nothing else of the caller’s', async () => {
  const e = await started(ID, FOREVER);
  const fds = readdirSync(`/proc/${pidOf(e)}/fd`).map(Number);
  // It has fds 0 to 2. Its own ones are the control socket, signalfd, epoll, and two for stdout and
  // stderr.
  assert.ok(fds.length <= 8, String(fds));
  process.kill(pidOf(e), 'SIGKILL');
  await e.exit;
});

test('the monitor can be killed for want of memory like its process', async () => {
  const e = host.exec(ID, {
    process: { ...sh('cat /proc/self/oom_score_adj; read x').process, oomScoreAdj: 123 },
  });
  assert.equal(await e.created, 0);
  await until(() => e.text('stdout') !== '');
  assert.equal(e.text('stdout'), '123\n');
  assert.equal(readFileSync(`/proc/${pidOf(e)}/oom_score_adj`, 'utf8'), '123\n');
  e.stdin.end();
  await e.exit;
});

test('20 at once: each its own output and status', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => started(ID, `read x; echo "${i} $x"; exit ${i}`)),
  );
  for (const [i, e] of all.entries()) e.stdin.end(`in ${i}\n`);
  const statuses = await Promise.all(all.map((e) => e.exit));
  assert.deepEqual(
    statuses,
    all.map((_, i) => i),
  );
  assert.deepEqual(
    all.map((e) => e.text('stdout')),
    all.map((_, i) => `${i} in ${i}\n`),
  );
});

const NOT_STARTED: [string[], string][] = [
  [['nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
  [['/bin/nosuch'], 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'],
  [['/etc/note'], 'exec: "/etc/note": permission denied'],
  [['/etc'], 'exec: "/etc": is a directory'],
];
for (const [command, text] of NOT_STARTED) {
  test(`${command} is refused before exec returns, in both forms`, async () => {
    assert.deepEqual(host.run(['exec', ID, ...command]), failed(text));
    const e = host.exec(ID, { process: { args: command } });
    assert.equal(await e.created, 255);
    assert.equal(await e.exit, undefined);
    assert.equal(e.text('stderr'), `exec failed: ${text}\n`);
  });
}

test('the reason is in --log, as engines read it', () => {
  const log = join(host.folder, 'exec-log.json');
  host.run(['exec', ID, 'nosuch', '--log', '/etc/passwd'], {
    globals: ['--log', log, '--log-format', 'json'],
  });
  const entry = JSON.parse(readFileSync(log, 'utf8')) as { level: string; msg: string };
  assert.deepEqual(
    [entry.level, entry.msg],
    ['error', 'exec failed: exec: "nosuch": executable file not found in $PATH'],
  );
});

test('foreground: the program’s status, and its options are its own', () => {
  assert.deepEqual(host.run(['exec', ID, 'echo', '-n', '--detach', '-t']), {
    ...SILENT,
    stdout: '--detach -t',
  });
  assert.deepEqual(host.run(['exec', ID, '--', 'sh', '-c', 'exit 9']), { ...SILENT, status: 9 });
  assert.deepEqual(host.run(['exec', ID, 'sh', '-c', 'kill -9 $$']), { ...SILENT, status: 137 });
});

test('foreground: environment, directory and user are the container’s unless given', () => {
  const show = 'echo "$A $B $C $(pwd) $(id -u):$(id -g) $(id -G)"';
  const out = (...args: string[]): string => host.run(['exec', ...args, ID, 'sh', '-c', show]).stdout;
  assert.equal(out(), '1 2  /tmp 0:0 0\n');
  const flags = [
    '-e',
    'B=x y',
    '--env=C=3',
    '-e',
    'B=z',
    '--cwd',
    '/',
    '-u',
    '7:8',
    '-g',
    '9',
    '--additional-gids',
    '10,11',
  ];
  assert.equal(out(...flags), '1 z 3 / 7:8 8 9 10 11\n');
  assert.equal(
    host
      .run(['exec', '-e', 'A=2', ID, 'env'])
      .stdout.match(/^A=.*$/gm)
      ?.join(),
    'A=2',
  );
});

test('capabilities and limits are the container’s unless given', async () => {
  const show = 'grep CapBnd /proc/self/status; ulimit -n; ulimit -Hn';
  const bits = (stdout: string): string => stdout.replace(/CapBnd:\s+0*/, '');
  assert.equal(bits(host.run(['exec', ID, 'sh', '-c', show]).stdout), '20\n200\n300\n');
  assert.equal(bits(host.run(['exec', '--cap', 'CAP_CHOWN', ID, 'sh', '-c', show]).stdout), '21\n200\n300\n');
  const e = await started(ID, show);
  await e.exit;
  assert.equal(bits(e.text('stdout')), '20\n200\n300\n');
  const own = host.exec(ID, {
    process: {
      ...sh(show).process,
      capabilities: { bounding: ['CAP_CHOWN'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 50, hard: 60 }],
    },
  });
  await own.exit;
  assert.equal(bits(own.text('stdout')), '1\n50\n60\n');
});

test('foreground: signals are handed on', async () => {
  const { child, result } = host.begin([
    'exec',
    ID,
    'sh',
    '-c',
    "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done",
  ]);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.kill('SIGTERM');
  assert.deepEqual(await result, { status: 5, stdout: 'ready\n', stderr: '' });
});

test('foreground: when the caller is killed, so is the program', async () => {
  const { child, result } = host.begin(['exec', ID, 'sh', '-c', 'echo ready; exec sleep 1004']);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.kill('SIGKILL');
  await result;
  await until(() => !/sleep 1004/.test(inside(ID)));
  assert.equal(pids(ID).length, 1);
});

const REFUSED: [string[], string][] = [
  [['nobody', 'true'], 'container does not exist'],
  [[ID], 'a command, or --process FILE, is missing (see exec --help)'],
  [['--process', '/nosuch', ID], "/nosuch: ENOENT: no such file or directory, open '/nosuch'"],
  [['--process', '/nosuch', ID, 'true'], 'either --process or a command, not both'],
  [['--user', 'root', ID, 'true'], 'bad uid: "root" is not a number from 0 to 4294967295'],
  [['--user', '1:x', ID, 'true'], 'bad gid: "x" is not a number from 0 to 4294967295'],
  [['--user', '4294967296', ID, 'true'], 'bad uid: "4294967296" is not a number from 0 to 4294967295'],
  [['-g', '-1', ID, 'true'], 'bad additional gid: "-1" is not a number from 0 to 4294967295'],
  [['-e', 'X', ID, 'true'], '--env: "X" is not NAME=value'],
  [['--cwd', 'x', ID, 'true'], 'Cwd must be an absolute path'],
  [['--cap', 'CAP_X', ID, 'true'], '--cap: not a capability: "CAP_X"'],
];
for (const [args, text] of REFUSED) {
  test(`refused: exec ${args.join(' ')}`, () => assert.deepEqual(host.run(['exec', ...args]), failed(text)));
}

test('refused: a process file that is none', () => {
  const file = join(host.folder, 'bad.json');
  for (const [content, text] of [
    ['{', /^exec failed: .*bad\.json: .*JSON/],
    ['[]', /^exec failed: .*bad\.json: process must be an object\n$/],
    ['{"args":[],"cwd":"/"}', /^exec failed: .*bad\.json: process\.args must not be empty\n$/],
    ['{"args":["x"],"cwd":"tmp"}', /^exec failed: .*bad\.json: process\.cwd must be an absolute path/],
  ] as const) {
    writeFileSync(file, content);
    const { status, stderr } = host.run(['exec', '--process', file, ID]);
    assert.equal(status, 255);
    assert.match(stderr, text);
  }
});

test('a description of nearly 4 MiB, and one that is too large', async () => {
  const env = Array.from({ length: 39 }, (_, i) => `V${i}=${'x'.repeat(100_000)}`);
  const e = host.exec(ID, {
    process: { args: ['/bin/sh', '-c', 'echo $V38 | head -c 3'], env: ['PATH=/bin', ...env] },
  });
  // The guest's kernel decides by its own limit for arguments and environment, after all of them
  // have arrived.
  assert.ok([0, 255].includes(await e.created));
  if ((await e.created) === 255) assert.match(e.text('stderr'), /argument list too long/i);
  await e.exit;
  const large = host.exec(ID, { process: { env: [...env, ...env] } });
  assert.equal(await large.created, 255);
  await large.exit;
  assert.match(large.text('stderr'), /^exec failed: the description of the process is larger than 4 MiB\n$/);
});

test('exec ends with the container: killed, or lost with the guest', async () => {
  for (const [end, status] of [
    ['exit 3', 137],
    [undefined, 137],
  ] as const) {
    const id = `end${status}${end === undefined}`;
    const c = await running(id, end === undefined ? FOREVER : `read x; ${end}`);
    const execs = await Promise.all([started(id, FOREVER), started(id, 'trap "" TERM; sleep 1000')]);
    if (end === undefined) host.run(['kill', id, 'KILL']);
    else c.stdin.end('go\n');
    assert.deepEqual(await Promise.all(execs.map((e) => e.exit)), [status, status]);
    assert.equal(await c.exit, end === undefined ? 137 : 3);
    assert.deepEqual(host.run(['exec', id, 'true']), failed('cannot exec in a stopped container'));
    assert.deepEqual(host.run(['delete', id]), SILENT);
    assert.deepEqual(await host.leftovers(id), []);
  }
});

test('exec ends when the guest is lost (255) and when the container’s monitor is killed (137)', async () => {
  const c = await running('lost');
  const e = await started('lost', FOREVER);
  const domain = readFileSync(
    join(host.folder, 'domains', String(host.storedDomain('lost').domid), 'pid'),
    'utf8',
  );
  process.kill(Number(domain), 'SIGKILL');
  assert.equal(await e.exit, 255);
  assert.equal(await c.exit, 255);
  host.run(['delete', '--force', 'lost']);
  const d = await running('headless');
  const f = await started('headless', FOREVER);
  process.kill(pids('headless')[0] ?? 0, 'SIGKILL');
  assert.equal(await f.exit, 137);
  assert.equal(await d.exit, 137);
  assert.deepEqual(host.run(['delete', 'headless']), SILENT);
  assert.deepEqual(await host.leftovers('headless'), []);
});

test('a reader that takes nothing does not keep an exec beyond its container', async () => {
  const c = await running('stuck');
  const e = host.exec('stuck', sh('head -c 10000000 /dev/zero'));
  e.stdout.pause();
  assert.equal(await e.created, 0);
  await until(() => e.stdout.readableLength > 0);
  host.run(['kill', 'stuck', 'KILL']);
  assert.equal(await c.exit, 137);
  const pid = pidOf(e);
  const stuck = host.domainPlaces('stuck').run;
  await until(() => host.processes(stuck).every((line) => !line.startsWith(`${pid} `)));
  e.stdout.resume();
  await e.exit;
  assert.deepEqual(host.run(['delete', 'stuck']), SILENT);
});

test('not started yet: refused', async () => {
  const c = host.create('fresh', { bundle: host.script(FOREVER) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['exec', 'fresh', 'true']), failed('container not running (start it first)'));
  assert.match(host.run(['ps', '--format', 'json', 'fresh']).stdout, /^\[\d+\]\n$/);
  host.run(['delete', '--force', 'fresh']);
  assert.deepEqual(host.run(['ps', 'fresh']), {
    status: 1,
    stdout: '',
    stderr: 'container does not exist\n',
  });
});

test('run: a whole container in one call', async () => {
  assert.deepEqual(host.run(['run', '--bundle', host.script('echo hi; echo err >&2; exit 3'), 'r']), {
    status: 3,
    stdout: 'hi\n',
    stderr: 'err\n',
  });
  assert.deepEqual(await host.leftovers('r'), []);
});

test('run hands signals on, and a caller that is killed takes the container along', async () => {
  const script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done";
  for (const [signal, status] of [
    ['SIGTERM', 5],
    ['SIGKILL', null],
  ] as const) {
    const { child, result } = host.begin(['run', '--bundle', host.script(script), 'rs']);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill(signal);
    assert.equal((await result).status, status);
    if (signal === 'SIGKILL') {
      await until(() => JSON.parse(host.run(['state', 'rs']).stdout).status === 'stopped');
      assert.deepEqual(host.run(['delete', 'rs']), SILENT);
    }
    assert.deepEqual(await host.leftovers('rs'), []);
  }
});

test('run of a program that cannot be started: the reason, and nothing left', async () => {
  const bundle = host.bundle({ process: processJson({ args: ['nosuch'] }) });
  const { status, stderr } = host.run(['run', '--bundle', bundle, 'rf']);
  assert.equal(status, 1);
  assert.match(stderr, /executable file not found/);
  assert.deepEqual(await host.leftovers('rf'), []);
});

test('run --detach returns when the program runs; --keep leaves the container', async () => {
  const pidFile = join(host.folder, 'run-pid');
  const { status } = host.runSilent([
    'run',
    '--detach',
    '--pid-file',
    pidFile,
    '--bundle',
    host.script(FOREVER),
    'rd',
  ]);
  assert.equal(status, 0);
  assert.equal(JSON.parse(host.run(['state', 'rd']).stdout).pid, Number(readFileSync(pidFile, 'utf8')));
  assert.deepEqual(host.run(['delete', '--force', 'rd']), SILENT);
  assert.equal(host.run(['run', '--keep', '--bundle', host.script('exit 4'), 'rk']).status, 4);
  assert.equal(JSON.parse(host.run(['state', 'rk']).stdout).status, 'stopped');
  assert.deepEqual(host.run(['delete', 'rk']), SILENT);
});
