// SPDX-License-Identifier: MIT
// A person's terminal in Dom0.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Terminal } from '../fixtures/terminal.ts';
import { dom0, TIMEOUT_MS } from './dom0.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const PROGRAM = join(import.meta.dirname, '../../native/build/fake/terminal');
const IN_DOM0 = '/var/tmp/vxn-test/terminal';

let pushed: Promise<void> | undefined;

async function push(): Promise<void> {
  const target = 'BUILD=../../native/build/fake';
  execFileSync('make', ['-s', '-C', FIXTURES, target, '../../native/build/fake/terminal']);
  await (await dom0()).push(PROGRAM, IN_DOM0);
}

/** Runs a command in a terminal of 24 rows and 80 columns in Dom0. */
export async function person(argv: readonly string[]): Promise<Terminal> {
  pushed ??= push();
  await pushed;
  const lab = await dom0();
  const stdin = new PassThrough();
  return new Terminal((shows, says) => {
    const closed = lab.exec([IN_DOM0, '--run', ...argv], {
      stdin,
      env: { TERM: 'dumb' },
      collect: false,
      timeoutMs: 2 * TIMEOUT_MS,
      onStdout: (chunk) => shows(chunk.toString()),
      onStderr: (chunk) => says(chunk.toString()),
    });
    return { send: (line) => void stdin.write(`${line}\n`), closed };
  }, TIMEOUT_MS);
}
