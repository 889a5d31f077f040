// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, nearest, parseArguments } from '../../src/oci/arguments.ts';
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

test('nearest finds slips of the finger, and no more', () => {
  assert.equal(nearest('strat', ['start', 'state']), 'start');
  assert.equal(nearest('stat', ['start', 'state', 'kill']), 'start');
  assert.equal(nearest('frobnicate', ['start', 'state']), undefined);
  assert.equal(nearest('x', []), undefined);
});
