// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, globalOption, parseArguments } from '../../src/cli/arguments.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const COMMANDS: Record<string, Command> = {
  create: {
    summary: '',
    args: ['ID'],
    options: { bundle: 'value', 'pid-file': 'value', 'no-pivot': 'flag', 'preserve-fds': 'value' },
  },
  kill: { summary: '', args: ['ID', '[SIGNAL]'], options: { all: 'flag' } },
  delete: { summary: '', args: ['ID'], options: { force: 'flag' } },
  features: { summary: '', args: [], options: {} },
  list: { summary: '', args: [], options: { format: 'value' } },
  exec: {
    summary: '',
    args: ['ID', '[COMMAND...]'],
    options: {
      process: 'value',
      detach: 'flag',
      'pid-file': 'value',
      tty: 'flag',
      env: 'list',
      user: 'value',
    },
  },
};
const parse = (...argv: string[]) => parseArguments(argv, COMMANDS);

const CREATED = { command: 'create', args: ['c1'], options: { bundle: '/b', 'pid-file': '/p' } };
// docs: how containerd 1.6 to 2.x, conmon and podman write one and the same call.
const SPELLINGS: [string, string][] = [
  ['containerd 2', '--root /r --log /l --log-format json create --bundle /b --pid-file /p c1'],
  [
    'containerd, systemd',
    '--root /r --log /l --log-format json --systemd-cgroup create --bundle /b --pid-file /p c1',
  ],
  ['containerd 1.6', '--root /r --log /l --log-format json --criu /c create --bundle /b --pid-file /p c1'],
  ['with =', '--root=/r --log=/l --log-format=json create --bundle=/b --pid-file=/p c1'],
  [
    'podman',
    '--log-format=json --log /l --root /r --cgroup-manager disabled create --bundle /b --pid-file /p c1',
  ],
  ['flags behind the id', '--root /r --log /l --log-format json create c1 --bundle /b --pid-file=/p'],
  [
    'rootless and debug',
    '--debug --rootless=auto --root /r --log /l --log-format json create -b /b --pid-file /p c1',
  ],
  ['one dash', '-root /r -log /l -log-format json create -bundle /b -pid-file /p c1'],
  ['-- before the id', '--root /r --log /l --log-format json create --bundle /b --pid-file /p -- c1'],
];
for (const [name, line] of SPELLINGS) {
  test(`create as ${name} writes it`, () => {
    const { command, args, options, globals } = parse(...line.split(' '));
    assert.deepEqual({ command, args, options: Object.fromEntries(options) }, CREATED);
    assert.equal(globals.root, '/r');
    assert.equal(globals.log, '/l');
    assert.equal(globals.logFormat, 'json');
  });
}

test('--preserve-fds takes its value along', () => {
  const { args, options } = parse('create', '--no-pivot', '--preserve-fds', '3', '--bundle', '/b', 'c1');
  assert.deepEqual(args, ['c1']);
  assert.equal(options.get('no-pivot'), 'true');
});

test('defaults: a root of its own, no log, text', () => {
  const { globals } = parse('features');
  assert.deepEqual(globals, { root: '/run/vxn', log: undefined, logFormat: 'text', debug: false });
});

test('optional arguments may be there or not', () => {
  assert.deepEqual(parse('kill', 'c1').args, ['c1']);
  assert.deepEqual(parse('kill', '--all', 'c1', '9').args, ['c1', '9']);
});

test('a flag can be switched off', () => {
  assert.equal(parse('delete', '--force=false', 'c1').options.has('force'), false);
  assert.equal(parse('delete', '--force=true', 'c1').options.has('force'), true);
});

test('what follows -- is no option', () => {
  assert.deepEqual(parse('delete', '--', '--force').args, ['--force']);
});

test('an empty value and a value that looks like an option are values', () => {
  assert.equal(parse('create', '--bundle=', 'c1').options.get('bundle'), '');
  assert.equal(parse('create', '--bundle', '--x', 'c1').options.get('bundle'), '--x');
});

for (const flags of [['--help'], ['-h'], ['--version'], ['-v']]) {
  test(`${flags} needs no command`, () => {
    const name = flags[0]?.includes('h') ? 'help' : 'version';
    assert.deepEqual([...parse(...flags).options.keys()], [name]);
  });
}

test('help of a command needs no arguments', () => {
  assert.ok(parse('create', '--help').options.has('help'));
});

const REFUSED: [string[], string][] = [
  [['craete', 'x'], 'unknown command "craete" (did you mean create?)'],
  [['del', 'x'], 'unknown command "del"'],
  [['xyzzy'], 'unknown command "xyzzy" (see --help)'],
  [['constructor'], 'unknown command "constructor"'],
  [['__proto__'], 'unknown command "__proto__"'],
  [['create', '--bundel', '/b', 'x'], 'unknown option --bundel (did you mean --bundle?)'],
  [['create', '--bundel=/b', 'x'], 'unknown option --bundel (did you mean --bundle?)'],
  [['--roto', '/r', 'features'], 'unknown option --roto (did you mean --root?)'],
  [['delete', '--toString', 'x'], 'unknown option --toString'],
  [['create', 'c1', '--bundle'], 'option --bundle needs a value'],
  [['exec'], 'exec takes ID [COMMAND...], got 0 argument(s)'],
  [['exec', 'c1', '--evn', 'A=1', 'ls'], 'unknown option --evn (did you mean --env?)'],
  [['exec', '-it', 'c1', 'sh'], 'unknown option -it'],
  [['--log'], 'option --log needs a value'],
  [['create'], 'create takes ID, got 0 argument(s)'],
  [['create', 'a', 'b'], 'create takes ID, got 2 argument(s)'],
  [['features', 'x'], 'features takes no arguments, got 1 argument(s)'],
  [['kill', 'a', 'b', 'c'], 'kill takes ID [SIGNAL], got 3 argument(s)'],
  [['--log-format', 'xml', 'features'], 'unknown log format "xml"'],
];
for (const [argv, text] of REFUSED) {
  test(`refused: ${argv.join(' ')}`, () => throwsVxn(() => parse(...argv), 'USAGE', text));
}

test('-f is what the command has of that letter', () => {
  assert.deepEqual(Object.fromEntries(parse('delete', '-f', 'c1').options), { force: 'true' });
  assert.deepEqual(Object.fromEntries(parse('list', '-f', 'json').options), { format: 'json' });
});

const EXECS: [string, string, string[], Record<string, string>][] = [
  [
    'containerd',
    'exec --process /f --detach --pid-file /p c1',
    ['c1'],
    { process: '/f', detach: 'true', 'pid-file': '/p' },
  ],
  [
    'conmon',
    'exec --pid-file /p --process /f --detach c1',
    ['c1'],
    { process: '/f', detach: 'true', 'pid-file': '/p' },
  ],
  ['options behind the id', 'exec c1 --process=/f -d', ['c1'], { process: '/f', detach: 'true' }],
  ['a command', 'exec -t c1 ls -l --detach /', ['c1', 'ls', '-l', '--detach', '/'], { tty: 'true' }],
  ['options between id and command', 'exec c1 -t ls -t', ['c1', 'ls', '-t'], { tty: 'true' }],
  ['-- before the command', 'exec c1 -- -x -t', ['c1', '-x', '-t'], {}],
  ['-- behind the command', 'exec c1 env -- -t', ['c1', 'env', '--', '-t'], {}],
  ['-- before the id', 'exec -- c1 ls -t', ['c1', 'ls', '-t'], {}],
];
for (const [name, line, args, options] of EXECS) {
  test(`exec: ${name}`, () => {
    const parsed = parse(...line.split(' '));
    assert.deepEqual([parsed.args, Object.fromEntries(parsed.options)], [args, options]);
  });
}

test('exec: help is of exec before the command, of the command behind it', () => {
  assert.ok(parse('exec', '--help').options.has('help'));
  assert.ok(!parse('exec', 'c1', 'ls', '--help').options.has('help'));
});

test('an option that may be given more than once keeps order and empty values', () => {
  const { lists, options } = parse(
    'exec',
    '-e',
    'A=1',
    '--env=B=',
    '--env',
    'A=2',
    '-u',
    '1',
    '-u',
    '2',
    'c1',
    'sh',
    '-e',
  );
  assert.deepEqual(lists.get('env'), ['A=1', 'B=', 'A=2']);
  assert.equal(options.get('user'), '2');
});

const LINES: [string, string | undefined][] = [
  ['--log /l create', '/l'],
  ['--log=/l create', '/l'],
  ['--debug --root create --log /l create', '/l'],
  ['--log-format json --log /l', '/l'],
  ['exec c1 cmd --log /etc/passwd', undefined],
  ['--root /r exec c1 cmd --log=/etc/passwd', undefined],
  ['--bogus --log /l create', '/l'],
  ['--log', undefined],
  ['', undefined],
];
for (const [line, log] of LINES) {
  test(`globalOption: the log of "${line}" is ${log}`, () =>
    assert.equal(globalOption(line.split(' '), 'log'), log));
}
