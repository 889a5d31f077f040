// SPDX-License-Identifier: MIT
import { type Count, FAIL, sum } from './count.ts';
import type { Progress } from './progress.ts';
import type { Screen } from './screen.ts';

/** A test and its time. */
export interface Timing {
  name: string;
  file: string;
  seconds: number;
}

/** The tools of a stage. */
export interface Bench {
  /** The name of the stage. */
  stage: string;
  screen: Screen;
  progress: Progress;
  /** Each test adds its own entry. */
  timings: Timing[];
}

export interface Stage {
  name: string;
  /** The seconds that it may take on two idle cores. A longer time is shown, but is no failure. */
  budget: number;
  run(bench: Bench): Promise<Count>;
}

/** The result of a stage. */
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

/** Runs stages one after the other. A failed stage does not end the rest. */
export async function runStages(stages: readonly Stage[], bench: Omit<Bench, 'stage'>): Promise<Result[]> {
  const results: Result[] = [];
  for (const stage of stages) results.push(await runStage(stage, bench));
  return results;
}

/** The count of all results. */
export const totalOf = (results: readonly Result[]): Count => sum(results.map(({ count }) => count));
