// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import { placesOf } from '../../src/container/container.ts';
import { holderArgs } from '../../src/container/holder.ts';
import { planStdio } from '../../src/container/stdio.ts';
import { domainPlaces } from '../../src/domain/domain.ts';
import { parseProcess } from '../../src/spec/spec.ts';
import { type ExecOptions, fromCommandLine, mergeEnvironment } from '../../src/verbs/exec.ts';
import { processJson } from '../fixtures/spec.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const OPTIONS: ExecOptions = {
  id: 'c',
  command: ['ls', '-l'],
  processFile: undefined,
  detach: false,
  pidFile: undefined,
  consoleSocket: undefined,
  tty: false,
  env: [],
  cwd: undefined,
  user: undefined,
  additionalGids: [],
  capabilities: [],
  noNewPrivileges: false,
  ignorePaused: false,
};
const OWN = parseProcess(
  processJson({
    terminal: true,
    consoleSize: { height: 1, width: 2 },
    user: { uid: 5, gid: 6, additionalGids: [7] },
    cwd: '/w',
    oomScoreAdj: 10,
    capabilities: { bounding: ['CAP_KILL'] },
  }),
);

test('what is not given is the container’s own, but for the terminal', () => {
  const { args, terminal, consoleSize, ...rest } = fromCommandLine(OWN, OPTIONS);
  assert.deepEqual([args, terminal, consoleSize], [['ls', '-l'], false, undefined]);
  const { args: _a, terminal: _t, consoleSize: _c, ...own } = OWN;
  assert.deepEqual(rest, own);
});

test('user: the group stays when it is not given', () => {
  const ids = (user: string): number[] => {
    const { uid, gid } = fromCommandLine(OWN, { ...OPTIONS, user });
    return [uid, gid];
  };
  assert.deepEqual(ids('0'), [0, 6]);
  assert.deepEqual(ids('8:9'), [8, 9]);
  assert.deepEqual(ids('4294967295:0'), [0xffffffff, 0]);
  for (const bad of ['', ':', '1:', ':1', 'root', '-1', '1:2:3', '0x1', '4294967296', ' 1'])
    throwsVxn(() => ids(bad), 'USAGE', 'is not a number');
});

test('capabilities are added to every set', () => {
  const caps = fromCommandLine(OWN, { ...OPTIONS, capabilities: ['CAP_CHOWN'] }).capabilities;
  assert.deepEqual(caps, { bounding: 33n, effective: 1n, inheritable: 1n, permitted: 1n, ambient: 1n });
});

test('the environment: a later entry replaces an earlier one in its place', () => {
  assert.deepEqual(mergeEnvironment(['A=1', 'B=2', 'A=3'], ['B=', 'C==']), ['A=3', 'B=', 'C==']);
  for (const bad of ['', '=', '=x', 'X'])
    throwsVxn(() => mergeEnvironment([], [bad]), 'USAGE', 'is not NAME=value');
});

test('the holder’s title: the program’s name and nothing that could be a secret or break a line', () => {
  const places = placesOf(DEFAULTS, '/r', 'c');
  const domain = domainPlaces(DEFAULTS, 'u');
  const stdio = planStdio(undefined, undefined, false, { cwd: '/' });
  const args = (program: string): string[] =>
    holderArgs({
      id: 'c',
      places,
      domain,
      program,
      description: Buffer.alloc(0),
      stdio,
      cgroups: [],
      oomScoreAdj: undefined,
    });
  assert.deepEqual(args('/bin/sh'), [
    'exec',
    '--id',
    'c',
    '--program',
    '/bin/sh',
    '--domain-dir',
    domain.run,
  ]);
  assert.equal(args('a\nb\x1b[0m')[4], 'a?b?[0m');
  assert.equal(args('x'.repeat(100))[4]?.length, 64);
});
