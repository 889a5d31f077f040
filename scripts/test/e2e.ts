// SPDX-License-Identifier: MIT
// The tests in the lab, which boots while other stages run.
import { type Ended, run } from './command.ts';
import { type Count, FAIL } from './count.ts';
import { nodeTests } from './node-tests.ts';
import type { Bench, Stage } from './stage.ts';

/** Boots the lab, with vxn of this tree and the engines. */
const boot = (): Promise<Ended> => run(process.execPath, ['--import', 'tsx', 'lab/main.ts', 'up']);

async function e2e(bench: Bench, booted: Promise<Ended>, files: readonly string[]): Promise<Count> {
  const { status, output } = await booted;
  bench.screen.print(output);
  if (status !== 0) return FAIL;
  // Of this tree, by the boot.
  const env = { VXN_LAB_DEPLOYED: '1' };
  return nodeTests(bench, { files, concurrency: 1, prefix: 'e2e | ', env });
}

/** The boot of the lab, which begins at once, and the files, one after the other. */
export function e2eStages(files: readonly string[], budget: number): Stage[] {
  const booted = boot();
  return [{ name: 'e2e', budget, run: (bench) => e2e(bench, booted, files) }];
}
