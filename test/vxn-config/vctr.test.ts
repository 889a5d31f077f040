// SPDX-License-Identifier: MIT
// vctr and its completion, with a ctr that prints its arguments.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { writePlanned } from '../../src/vxn-config/tree.ts';
import { extraFile } from '../fixtures/engines.ts';
import { planned } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const root = temporaryFolder();
for (const file of planned('generic-x86-64')) writePlanned(root, file);
writePlanned(root, extraFile('/usr/bin/ctr', '#!/bin/sh\nprintf "<%s>" "$@"\n', 0o755));
const env = { PATH: `${join(root, 'usr/bin')}:/usr/bin:/bin` };

function vctr(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('vctr', args, { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

const words = (line: string): string[] => line.split(' ');
const bracketed = (line: string): string =>
  words(line)
    .map((w) => `<${w}>`)
    .join('');
const V = '--runtime io.containerd.vxn.v2';

const WITH: [given: string, passed: string][] = [
  ['run --rm img id cmd', `run ${V} --rm img id cmd`],
  ['r img id', `r ${V} img id`],
  ['-n k8s.io run img id', `-n k8s.io run ${V} img id`],
  ['--namespace run run img id', `--namespace run run ${V} img id`],
  ['--debug -a /run/c.sock run img id', `--debug -a /run/c.sock run ${V} img id`],
  ['c create img id', `c create ${V} img id`],
  ['containers create img id run', `containers create ${V} img id run`],
  ['container create img id', `container create ${V} img id`],
  ['sandboxes run pod.json id', `sandboxes run ${V} pod.json id`],
  ['s c pod.json id', `s c ${V} pod.json id`],
  ['plugins inspect-runtime', `plugins inspect-runtime ${V}`],
];
for (const [given, passed] of WITH) {
  test(`gets the runtime: ${given}`, () => assert.equal(vctr(...words(given)), bracketed(passed)));
}

const WITHOUT = [
  'task ls',
  'task kill -s SIGKILL run',
  'c ls',
  'c rm run',
  'c info create',
  'images pull run',
  'sandboxes ls',
  'plugins ls',
  'version',
  'events',
  '-n run task ls',
];
for (const line of WITHOUT) {
  test(`passes through: ${line}`, () => assert.equal(vctr(...words(line)), bracketed(line)));
}

test('words are passed as they are', () => {
  const args = ['run', '--rm', '--env', "A=it's $(x) `y`", 'img', 'id', 'sh', '-c', 'echo  "two"\nlines', ''];
  const passed = ['run', '--runtime', 'io.containerd.vxn.v2', ...args.slice(1)];
  assert.equal(vctr(...args), passed.map((w) => `<${w}>`).join(''));
});

test('help comes before that of ctr', () => {
  assert.match(vctr('--help'), /^vctr: containerd's ctr.*<--help>$/s);
});

function complete(line: string): string[] {
  const script = `
    source "$COMPLETION"
    COMP_WORDS=($LINE)
    [[ $LINE == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _vctr
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const completion = join(root, 'usr/share/bash-completion/completions/vctr');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    env: { ...env, LINE: line, COMPLETION: completion },
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

test('bash completes what ctr proposes, and the flag goes through vctr', () => {
  const answer = '#!/bin/sh\ncase "$*" in *--generate-bash-completion) echo "run\ntasks\ntask --x" ;; esac\n';
  writePlanned(root, extraFile('/usr/bin/ctr', answer, 0o755));
  assert.deepEqual(complete('vctr ta'), ['tasks', 'task']);
  assert.deepEqual(complete('vctr '), ['run', 'tasks', 'task', '--x']);
});
