// SPDX-License-Identifier: MIT
import { type Count, FAIL, sum } from './count.ts';
import type { Progress } from './progress.ts';
import type { Screen } from './screen.ts';

/** One test and how long it took. */
export interface Timing {
  name: string;
  file: string;
  seconds: number;
}

/** What a stage works with. */
export interface Bench {
  /** Name of the stage. */
  stage: string;
  screen: Screen;
  progress: Progress;
  /** Each test adds itself. */
  timings: Timing[];
}

export interface Stage {
  name: string;
  /** Seconds that it may take on two idle cores; more is shown, and no failure. */
  budget: number;
  run(bench: Bench): Promise<Count>;
}

/** How a stage went. */
export interface Result {
  name: string;
  budget: number;
  count: Count;
  seconds: number;
}

async function counted({ name, run }: Stage, bench: Bench): Promise<Count> {
  try {
    const count = await run(bench);
    if (count.passed + count.failed > 0) return count;
    bench.screen.print(`${name}: no tests ran, which counts as a failure`);
  } catch (error) {
    bench.screen.print(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return FAIL;
}

async function runStage(stage: Stage, bench: Omit<Bench, 'stage'>): Promise<Result> {
  const { name, budget } = stage;
  bench.screen.print(`\n=== ${name}`);
  bench.progress.at(name);
  const begin = performance.now();
  const count = await counted(stage, { ...bench, stage: name });
  const seconds = (performance.now() - begin) / 1000;
  bench.progress.ended(name);
  bench.screen.print(`--- ${name}: ${count.passed} passed, ${count.failed} failed, ${seconds.toFixed(1)} s`);
  return { name, budget, count, seconds };
}

/** Runs stages one after the other; one that fails does not end the rest. */
export async function runStages(stages: readonly Stage[], bench: Omit<Bench, 'stage'>): Promise<Result[]> {
  const results: Result[] = [];
  for (const stage of stages) results.push(await runStage(stage, bench));
  return results;
}

/** The count of all results. */
export const totalOf = (results: readonly Result[]): Count => sum(results.map(({ count }) => count));
