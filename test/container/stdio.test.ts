// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planStdio, type Stdio, stdioArgs, stdioFds } from '../../src/container/stdio.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const NO_SOCKET = 'cannot allocate tty if runc will detach without setting console socket';
const NO_TERMINAL = 'cannot use console socket if runc will not detach or allocate tty';
const CALLER = { cwd: '/work', fds: [3, 4, 5] } as const;
const SIZE = { height: 30, width: 100 };

const plan = (terminal: boolean, socket: string | undefined, foreground: boolean): Stdio =>
  planStdio({ terminal, consoleSize: SIZE }, socket, foreground, CALLER);

const IGNORED = ['ignore', 'ignore', 'ignore'];
const PLANS: [string, Stdio, string[], unknown[]][] = [
  ['no terminal', plan(false, undefined, false), [], [3, 4, 5]],
  ['no terminal, foreground', plan(false, undefined, true), [], [3, 4, 5]],
  ['the caller’s terminal', plan(true, undefined, true), ['--terminal'], [3, 4, 5]],
  [
    'a terminal for an engine',
    plan(true, '/s', false),
    ['--console-socket', '/s', '--console-size', '30x100'],
    IGNORED,
  ],
  [
    'without a size',
    planStdio({ terminal: true, consoleSize: undefined }, '/s', false, CALLER),
    ['--console-socket', '/s'],
    IGNORED,
  ],
  ['no process', planStdio(undefined, undefined, false, CALLER), [], [3, 4, 5]],
];
for (const [name, stdio, args, fds] of PLANS) {
  test(`stdio: ${name}`, () => {
    assert.deepEqual(stdioArgs(stdio), args);
    assert.deepEqual(stdioFds(stdio, CALLER), fds);
  });
}

test('refused in runc’s words', () => {
  throwsVxn(() => plan(true, undefined, false), 'USAGE', NO_SOCKET);
  throwsVxn(() => plan(false, '/s', false), 'USAGE', NO_TERMINAL);
  throwsVxn(() => plan(true, '/s', true), 'USAGE', NO_TERMINAL);
  throwsVxn(() => planStdio(undefined, '/s', false, CALLER), 'USAGE', NO_TERMINAL);
});

test('the console socket’s path: absolute, at most 107 bytes', () => {
  assert.equal(plan(true, `/${'s'.repeat(106)}`, false).consoleSocket?.length, 107);
  throwsVxn(
    () => plan(true, `/${'s'.repeat(107)}`, false),
    'USAGE',
    'has 108 bytes, but at most 107 are allowed',
  );
  throwsVxn(() => plan(true, `/${'é'.repeat(54)}`, false), 'USAGE', 'has 109 bytes');
  assert.equal(plan(true, 's', false).consoleSocket, '/work/s');
});
