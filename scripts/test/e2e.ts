// SPDX-License-Identifier: MIT
// The tests in the lab, which boots while other stages run.
import { type Ended, run } from './command.ts';
import { type Count, FAIL, sum } from './count.ts';
import { nodeTests } from './node-tests.ts';
import type { Bench, Stage } from './stage.ts';

/** Boots the lab. Its tests would wait for it by themselves; this only saves time. */
const boot = (): Promise<Ended> => run(process.execPath, ['--import', 'tsx', 'lab/main.ts', 'up']);

async function e2e(bench: Bench, booted: Promise<Ended>, files: readonly string[]): Promise<Count> {
  const { status, output } = await booted;
  bench.screen.print(output);
  const up = status === 0 ? [] : [FAIL];
  return sum([...up, await nodeTests(bench, { files, concurrency: 1, prefix: 'e2e | ' })]);
}

/** The boot of the lab, which begins at once, and the files, one after the other. */
export function e2eStages(files: readonly string[], budget: number): Stage[] {
  const booted = boot();
  return [{ name: 'e2e', budget, run: (bench) => e2e(bench, booted, files) }];
}
