// SPDX-License-Identifier: MIT
// npm test: runs all checks and counts them. The last line is "N passed, N failed". docs/testing.md
// says more.
import { HOST_PACKAGES } from '../lab/packages.ts';
import { ensureHostPackages, LINT_PACKAGES, NATIVE_PACKAGES, UNIT_PACKAGES } from './host-packages.ts';
import { type Choice, choose, USAGE, UsageError } from './test/choice.ts';
import { check } from './test/command.ts';
import { e2eStages } from './test/e2e.ts';
import { testFiles } from './test/files.ts';
import { lint } from './test/lint.ts';
import { fuzz, native } from './test/native.ts';
import { nodeTests } from './test/node-tests.ts';
import { Progress } from './test/progress.ts';
import { report } from './test/report.ts';
import { Screen } from './test/screen.ts';
import { runStages, type Stage, type Timing, totalOf } from './test/stage.ts';

/** The number of files of unit tests that run at the same time. */
const AT_ONCE = 2;

/** The seconds of the default set on two idle cores. */
const BUDGET = { build: 10, lint: 40, unit: 300, native: 200, fuzz: 85, boot: 90, e2e: 1050 };

function ensurePackages({ parts }: Choice): void {
  ensureHostPackages([
    ...(parts.has('lint') ? LINT_PACKAGES : []),
    ...(parts.has('unit') ? UNIT_PACKAGES : []),
    ...(parts.has('native') ? NATIVE_PACKAGES : []),
    ...(parts.has('e2e') ? HOST_PACKAGES : []),
  ]);
}

/** The stages that need no lab, in order. */
function stagesHere({ parts, unitFiles, long }: Choice): Stage[] {
  const files = unitFiles ?? testFiles('test', { long, without: ['test/e2e'] });
  const stage = (name: keyof typeof BUDGET, run: Stage['run']): Stage => ({
    name,
    budget: BUDGET[name],
    run,
  });
  const build = ['scripts/build.mjs'];
  return [
    // The linters look at the rendered files, and the unit tests run the bundles.
    stage('build', ({ screen }) => check(screen, 'dist/', process.execPath, build)),
    ...(parts.has('lint') ? [stage('lint', ({ screen }) => lint(screen))] : []),
    ...(parts.has('unit')
      ? [stage('unit', (bench) => nodeTests(bench, { files, concurrency: AT_ONCE }))]
      : []),
    ...(parts.has('native')
      ? [stage('native', ({ screen }) => native(screen)), stage('fuzz', ({ screen }) => fuzz(screen))]
      : []),
  ];
}

/** Runs the chosen checks and prints the results. Gives true when nothing failed. */
async function test(choice: Choice): Promise<boolean> {
  const screen = new Screen();
  const progress = new Progress(screen);
  const timings: Timing[] = [];
  const begin = performance.now();
  ensurePackages(choice);
  const inLab = choice.parts.has('e2e') ? e2eStages(choice.e2eFiles, BUDGET) : [];
  // The lab mostly waits for one guest at a time, so the other stages fit in beside it.
  const both = await Promise.all(
    [stagesHere(choice), inLab].map((stages) => runStages(stages, { screen, progress, timings })),
  );
  progress.close();
  const results = both.flat();
  screen.print(report(results, timings, (performance.now() - begin) / 1000));
  return totalOf(results).failed === 0;
}

try {
  process.exit((await test(choose(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) {
    process.stderr.write(USAGE);
    process.exit(2);
  }
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(1);
}
