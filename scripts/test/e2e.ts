// SPDX-License-Identifier: MIT
// The tests in the lab. It boots while other stages run.
import { type Ended, run } from './command.ts';
import { type Count, FAIL, PASS } from './count.ts';
import { nodeTests } from './node-tests.ts';
import type { Bench, Stage } from './stage.ts';

/** The boot puts vxn of this tree into Dom0, so the test files need not do it again. */
const DEPLOYED = { VXN_LAB_DEPLOYED: '1' };

/** Boots the lab, with vxn of this tree and the engines. */
const up = (): Promise<Ended> => run(process.execPath, ['--import', 'tsx', 'lab/main.ts', 'up']);

async function boot({ screen }: Bench, booted: Promise<Ended>): Promise<Count> {
  const { status, output } = await booted;
  screen.print(output);
  return status === 0 ? PASS : FAIL;
}

async function e2e(bench: Bench, booted: Promise<Ended>, files: readonly string[]): Promise<Count> {
  if ((await booted).status !== 0) return FAIL;
  return nodeTests(bench, { files, concurrency: 1, prefix: 'e2e | ', env: DEPLOYED });
}

/**
 * The stages of the e2e tests: the boot of the lab, which begins at once, then the files one after
 * the other. The budgets are in seconds.
 */
export function e2eStages(files: readonly string[], budget: { boot: number; e2e: number }): Stage[] {
  const booted = up();
  return [
    { name: 'boot', budget: budget.boot, run: (bench) => boot(bench, booted) },
    { name: 'e2e', budget: budget.e2e, run: (bench) => e2e(bench, booted, files) },
  ];
}
