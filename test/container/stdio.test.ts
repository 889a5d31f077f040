// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planStdio, type Stdio, stdioArgs, stdioFds } from '../../src/container/stdio.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const NO_SOCKET = 'cannot allocate tty if runc will detach without setting console socket';
const NO_TERMINAL = 'cannot use console socket if runc will not detach or allocate tty';
const SIZE = { height: 30, width: 100 };

const plan = (terminal: boolean, socket: string | undefined, foreground: boolean): Stdio =>
  planStdio({ terminal, consoleSize: SIZE }, socket, foreground);

const PLANS: [string, Stdio, string[], string][] = [
  ['no terminal', plan(false, undefined, false), [], 'inherit'],
  ['no terminal, foreground', plan(false, undefined, true), [], 'inherit'],
  ['the caller’s terminal', plan(true, undefined, true), ['--terminal'], 'inherit'],
  [
    'a terminal for an engine',
    plan(true, '/s', false),
    ['--console-socket', '/s', '--console-size', '30x100'],
    'ignore',
  ],
  [
    'without a size',
    planStdio({ terminal: true, consoleSize: undefined }, '/s', false),
    ['--console-socket', '/s'],
    'ignore',
  ],
  ['no process', planStdio(undefined, undefined, false), [], 'inherit'],
];
for (const [name, stdio, args, fd] of PLANS) {
  test(`stdio: ${name}`, () => {
    assert.deepEqual(stdioArgs(stdio), args);
    assert.deepEqual(stdioFds(stdio), [fd, fd, fd]);
  });
}

test('refused in runc’s words', () => {
  throwsVxn(() => plan(true, undefined, false), 'USAGE', NO_SOCKET);
  throwsVxn(() => plan(false, '/s', false), 'USAGE', NO_TERMINAL);
  throwsVxn(() => plan(true, '/s', true), 'USAGE', NO_TERMINAL);
  throwsVxn(() => planStdio(undefined, '/s', false), 'USAGE', NO_TERMINAL);
});

test('the console socket’s path: absolute, at most 107 bytes', () => {
  assert.equal(plan(true, `/${'s'.repeat(106)}`, false).consoleSocket?.length, 107);
  throwsVxn(() => plan(true, `/${'s'.repeat(107)}`, false), 'USAGE', 'has 108 bytes, 107 are possible');
  throwsVxn(() => plan(true, `/${'é'.repeat(54)}`, false), 'USAGE', 'has 109 bytes');
  assert.match(plan(true, 's', false).consoleSocket ?? '', /^\/.*\/s$/);
});
