// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Created, Host } from '../fixtures/host.ts';
import { configJson, processJson } from '../fixtures/spec.ts';
import type { Terminal } from '../fixtures/terminal.ts';

const host = new Host();
// The rest of a failing test would keep this process alive.
after(() => host.remove());
const SILENT = { status: 0, stdout: '', stderr: '' };
const MOUNTS = [
  ...(configJson().mounts as object[]),
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
  },
];
const NO_SOCKET = 'cannot allocate tty if runc will detach without setting console socket';
const NO_TERMINAL = 'cannot use console socket if runc will not detach or allocate tty';

/** A bundle whose program has a terminal. A string is a script. */
const bundle = (script: string, change: Record<string, unknown> = {}): string =>
  host.bundle({
    process: processJson({ args: ['/bin/sh', '-c', script], terminal: true, ...change }),
    mounts: MOUNTS,
  });

async function created(id: string, script: string, change: Record<string, unknown> = {}) {
  const { terminal, socket } = await host.listen();
  const c = host.create(id, { bundle: bundle(script, change), args: ['--console-socket', socket] });
  assert.equal(await c.created, 0, c.text('stderr'));
  await terminal.hears(/^terminal \/dev\/pts\/\d+$/m);
  return { c, terminal };
}

async function running(id: string, script: string, change: Record<string, unknown> = {}) {
  const made = await created(id, script, change);
  assert.deepEqual(host.run(['start', id]), SILENT);
  return made;
}

async function exec(id: string, script: string, change: Record<string, unknown> = {}) {
  const { terminal, socket } = await host.listen();
  const process = { args: ['/bin/sh', '-c', script], terminal: true, ...change };
  const e = host.exec(id, { process, args: ['--console-socket', socket] });
  assert.equal(await e.created, 0, e.text('stderr'));
  await terminal.hears(/^terminal /m);
  return { e, terminal };
}

let made = 0;
const BESIDE = 'beside';
let beside: Created | undefined;
/** A container without a terminal, for execs that have one. */
async function ensureBeside(): Promise<void> {
  if (beside !== undefined) return;
  beside = host.create(BESIDE, {
    bundle: host.bundle({
      process: processJson({ args: ['/bin/sh', '-c', 'while :; do sleep 1; done'] }),
      mounts: MOUNTS,
    }),
  });
  assert.equal(await beside.created, 0);
  assert.deepEqual(host.run(['start', BESIDE]), SILENT);
}

type Made = {
  ended: Promise<number | undefined>;
  terminal: Terminal;
  monitor: () => number;
  done: () => Promise<void>;
};
const KINDS: [string, (script: string, change?: Record<string, unknown>) => Promise<Made>][] = [
  [
    'create',
    async (script, change = {}) => {
      const id = `t${made++}`;
      const { c, terminal } = await running(id, script, change);
      const done = async (): Promise<void> => {
        assert.deepEqual(host.run(['delete', '--force', id]), SILENT);
        await c.exit;
        assert.deepEqual(await host.leftovers(id), []);
      };
      return { ended: c.exit, terminal, monitor: () => Number(readFileSync(c.pidFile, 'utf8')), done };
    },
  ],
  [
    'exec',
    async (script, change = {}) => {
      await ensureBeside();
      const { e, terminal } = await exec(BESIDE, script, change);
      const monitor = (): number => Number(readFileSync(e.pidFile, 'utf8'));
      return { ended: e.exit, terminal, monitor, done: async () => undefined };
    },
  ],
];

for (const [kind, make] of KINDS) {
  test(`${kind}: size from the start, and every change of it`, async () => {
    const script =
      "stty size; trap 'stty size' WINCH; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    const { ended, terminal, monitor, done } = await make(script, {
      consoleSize: { height: 30, width: 100 },
    });
    await terminal.sees(/30 100\r\nready\r\n/);
    for (const [rows, columns] of [
      [50, 132],
      [5, 500],
      [24, 80],
    ]) {
      terminal.command(`size ${rows} ${columns}`);
      await terminal.sees(new RegExp(`^${rows} ${columns}\\r$`, 'm'));
    }
    process.kill(monitor(), 'SIGTERM');
    assert.equal(await ended, 7);
    await done();
  });

  test(`${kind}: ^C, line editing, echo and ^D are the guest's`, async () => {
    const { ended, terminal, done } = await make(
      "trap 'echo int' INT; echo ready; read x; echo got $x; read y; echo got $y; cat; echo end; exit 3",
    );
    await terminal.sees(/ready\r\n/);
    terminal.type('abX\x7fc\r');
    await terminal.sees(/got abc\r\n/);
    terminal.type('\x03');
    await terminal.sees(/\^C.*int\r\n/s);
    terminal.type('line\r');
    await terminal.sees(/got ?(line)?\r\n/);
    terminal.type('more\r\x04');
    terminal.type('\x04');
    await terminal.sees(/end\r\n/);
    assert.equal(await ended, 3);
    await terminal.closed;
    await done();
  });

  test(`${kind}: our side is raw: 8 bits clean, no carriage return too many with an engine's ONLCR`, async () => {
    const { ended, terminal, done } = await make(
      'stty raw -echo; echo one; head -c 3 | od -t x1; stty sane; echo two',
    );
    terminal.command('onlcr');
    terminal.command('ask');
    await terminal.hears(/^size \d+ \d+ raw$/m);
    await terminal.sees(/one\n/);
    assert.doesNotMatch(terminal.text, /\r/);
    terminal.type('\r\x03\xff'.slice(0, 2));
    terminal.type('\x04');
    await terminal.sees(/0d 03 04/);
    await terminal.sees(/two\r\n/);
    assert.doesNotMatch(terminal.text, /\r\r/);
    assert.equal(await ended, 0);
    await done();
  });

  test(`${kind}: all of the output arrives, however late it is read`, async () => {
    const { terminal, done } = await make('read x; stty -opost; seq 1 20000; echo last');
    terminal.command('hold');
    terminal.type('go\r');
    // The program cannot end, because nobody reads. The following steps are in order.
    terminal.command('ask');
    await terminal.hears(/^size/m);
    terminal.command('read');
    await terminal.closed;
    const lines = terminal.text.replaceAll('\r', '').split('\n').slice(-20_002);
    assert.deepEqual(lines, [...Array.from({ length: 20_000 }, (_, i) => String(i + 1)), 'last', '']);
    await done();
  });

  test(`${kind}: a client that goes away ends nothing, and nothing spins`, async () => {
    const { ended, terminal, monitor, done } = await make(
      "trap 'echo hup >/dev/null; exit 9' HUP; trap 'exit 6' TERM; echo ready; while :; do echo noise; sleep 0.05; done",
    );
    await terminal.sees(/ready\r\n/);
    const pid = monitor();
    await terminal.close();
    const ticks = (): number => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const before = ticks();
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(ticks() - before <= 10, `${ticks() - before} ticks of processor time`);
    process.kill(pid, 'SIGTERM');
    assert.equal(await ended, 6);
    await done();
  });

  test(`${kind}: SIGHUP that somebody sends reaches the program`, async () => {
    const { ended, terminal, monitor, done } = await make(
      "trap 'exit 9' HUP; echo ready; while :; do sleep 0.05; done",
    );
    await terminal.sees(/ready\r\n/);
    process.kill(monitor(), 'SIGHUP');
    assert.equal(await ended, 9);
    await done();
  });
}

test('what is typed and resized before start is there at start', async () => {
  const { c, terminal } = await created('early', 'stty size; read x; echo got $x; exit 2');
  terminal.command('size 40 120');
  terminal.command('ask');
  await terminal.hears(/^size 40 120 raw$/m);
  terminal.type('early\r');
  assert.deepEqual(host.run(['start', 'early']), SILENT);
  await terminal.sees(/40 120\r\n/);
  await terminal.sees(/got early\r\n/);
  assert.equal(await c.exit, 2);
  assert.deepEqual(host.run(['delete', 'early']), SILENT);
  assert.deepEqual(await host.leftovers('early'), []);
});

test('job control: a shell has its terminal', async () => {
  const { c, terminal } = await running('jobs', 'exec sh -i', {});
  await terminal.sees(/\/ # /);
  terminal.type("sh -c 'echo go; exec cat'\r");
  await terminal.sees(/^go\r$/m);
  terminal.type('x\r');
  // The terminal echoes it and cat writes it, so cat is in the foreground.
  await terminal.sees(/x\r\nx\r\n/);
  terminal.type('\x1a');
  await terminal.sees(/Stopped.*\r\n\/ # /);
  terminal.type('fg\r');
  await terminal.sees(/fg\r\n.*cat/);
  terminal.type('y\r');
  await terminal.sees(/y\r\ny\r\n/);
  terminal.type('\x03');
  await terminal.sees(/\^C\r\n\/ # /);
  terminal.type('exit 4\r');
  assert.equal(await c.exit, 4);
  assert.doesNotMatch(terminal.text, /job control turned off/);
  host.run(['delete', 'jobs']);
});

test('the runtime lets go of its own stdio: an engine waits for its end', async () => {
  const { terminal, socket } = await host.listen();
  const begun = host.begin(['create', '--bundle', bundle('sleep 100'), '--console-socket', socket, 'let']);
  assert.deepEqual(await begun.result, SILENT);
  await terminal.hears(/^terminal/m);
  assert.deepEqual(host.run(['start', 'let']), SILENT);
  const second = await host.listen();
  const file = join(host.folder, 'let.json');
  writeFileSync(file, JSON.stringify(processJson({ args: ['sleep', '100'], terminal: true })));
  assert.deepEqual(
    host.run(['exec', '--process', file, '--detach', '--console-socket', second.socket, 'let']),
    SILENT,
  );
  assert.deepEqual(host.run(['delete', '--force', 'let']), SILENT);
  assert.deepEqual(await host.leftovers('let'), []);
});

const REFUSED: [string, boolean, string[], RegExp][] = [
  ['a terminal without a socket', true, [], new RegExp(`^${NO_SOCKET} \\(.*\\)\\n$`)],
  [
    'a socket without a terminal',
    false,
    ['--console-socket', '/s'],
    new RegExp(`^${NO_TERMINAL} \\(.*\\)\\n$`),
  ],
  [
    'a socket where nobody listens',
    true,
    ['--console-socket', '/nosuch/s'],
    /^vxn-monitor: cannot send the terminal over the console socket: No such file or directory\n$/,
  ],
  [
    'a path that is too long',
    true,
    ['--console-socket', `/${'s'.repeat(107)}`],
    /^the console socket's path has 108 bytes/,
  ],
];
for (const [name, terminal, args, text] of REFUSED) {
  test(`create: ${name} is refused, with nothing left`, async () => {
    const c = host.create('no', { bundle: bundle('true', { terminal }), args });
    assert.equal(await c.created, 1);
    await c.exit;
    assert.match(c.text('stderr'), text);
    assert.deepEqual(await host.leftovers('no'), []);
  });

  test(`exec: ${name} is refused`, async () => {
    await ensureBeside();
    const e = host.exec(BESIDE, { process: { args: ['true'], terminal }, args });
    assert.equal(await e.created, 255);
    await e.exit;
    const own = e.text('stderr').replace(/^exec failed: /, '');
    assert.match(own.startsWith('cannot send') ? `vxn-monitor: ${own}` : own, text);
  });
}

// ---- A person at a terminal

test('exec -t in a person’s terminal: size, resize, ^C, status; and the terminal is as it was', async () => {
  await ensureBeside();
  const p = host.person([
    'exec',
    '-t',
    BESIDE,
    'sh',
    '-c',
    "trap 'stty size; exit 5' INT; trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done",
  ]);
  await p.sees(/24 80\r\nready\r\n/);
  p.command('ask');
  await p.hears(/^size 24 80 raw$/m);
  p.command('size 33 99');
  await p.sees(/33 99\r\n/);
  p.type('\x03');
  await p.sees(/\^C.*33 99\r\n/s);
  await p.hears(/^exit 5$/m);
});

test('exec -t: the terminal is given back, also when the program is killed', async () => {
  await ensureBeside();
  const p = host.person(['exec', '-t', BESIDE, 'sh', '-c', 'echo ready; exec sleep 1005']);
  await p.sees(/ready/);
  const shell = host.person([
    'exec',
    BESIDE,
    'sh',
    '-c',
    'kill -9 $(ps -o pid,args | grep "[s]leep 1005" | sed "s/^ *//; s/ .*//")',
  ]);
  await shell.closed;
  await p.hears(/^exit 137$/m);
});

test('exec -t: a person whose terminal goes away takes the program along', async () => {
  await ensureBeside();
  const p = host.person(['exec', '-t', BESIDE, 'sh', '-c', 'echo ready; while :; do sleep 0.05; done']);
  await p.sees(/ready/);
  await p.close();
  const deadline = Date.now() + 20_000;
  const execs = (): string => host.run(['ps', '--format', 'json', BESIDE]).stdout;
  while (execs().includes(',') && Date.now() < deadline);
  assert.match(execs(), /^\[\d+\]\n$/);
});

test('exec without -t in a terminal leaves the terminal cooked; ^C reaches the program once', async () => {
  await ensureBeside();
  const p = host.person([
    'exec',
    BESIDE,
    'sh',
    '-c',
    "n=0; trap 'n=$((n+1))' INT; echo ready; sleep 1; echo n=$n",
  ]);
  await p.sees(/ready\r\n/);
  p.command('ask');
  await p.hears(/^size 24 80 cooked$/m);
  p.type('\x03');
  await p.sees(/n=1\r\n/);
  await p.hears(/^exit 0$/m);
});

test('run in a person’s terminal', async () => {
  const p = host.person([
    'run',
    '--bundle',
    bundle('stty size; echo ready; read x; echo got $x; exit 6'),
    'person',
  ]);
  await p.sees(/24 80\r\nready\r\n/);
  p.type('word\r');
  await p.sees(/word\r\ngot word\r\n/);
  await p.hears(/^exit 6$/m);
  assert.deepEqual(await host.leftovers('person'), []);
});

test('a container beside all this is still there', async () => {
  assert.match(host.run(['ps', '--format', 'json', BESIDE]).stdout, /^\[\d+\]\n$/);
  assert.deepEqual(host.run(['delete', '--force', BESIDE]), SILENT);
  assert.deepEqual(await host.leftovers(BESIDE), []);
});
