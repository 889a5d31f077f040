// SPDX-License-Identifier: MIT
// Tests the helpers in C: their own tests under sanitizers, and a fuzzer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSanitizers } from '../host-packages.ts';
import { check, run } from './command.ts';
import { type Count, FAIL, sum } from './count.ts';
import type { Screen } from './screen.ts';

/** The seconds that the fuzzer runs. */
const FUZZ_SECONDS = 60;

/** Runs `make test` of native/. Each of its programs ends with a line of counts. */
export async function native(screen: Screen): Promise<Count> {
  const { status, output } = await run('make', ['-C', 'native', 'test'], { screen });
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].map((m) => ({
    passed: Number(m[1]),
    failed: Number(m[2]),
  }));
  const count = sum(counts);
  return status !== 0 && count.failed === 0 ? sum([count, FAIL]) : count;
}

/** Lets the fuzzer play a hostile guest. */
export async function fuzz(screen: Screen): Promise<Count> {
  ensureSanitizers();
  const found = mkdtempSync(join(tmpdir(), 'vxn-fuzz-'));
  const target = ['-C', 'native/fuzz', 'run', `TIME=${FUZZ_SECONDS}`, `FOUND=${found}`];
  try {
    return await check(screen, `the monitor reads from a hostile guest, ${FUZZ_SECONDS} s`, 'make', target);
  } finally {
    rmSync(found, { recursive: true, force: true });
  }
}
