// SPDX-License-Identifier: MIT
// Times processes: the wall clock, and the processor time of a process and its children.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';

export interface Sample {
  /** Milliseconds. */
  wall: number;
  cpu: number;
}

/** A command to time. The time of before and after does not count. */
export interface Case {
  name: string;
  before?: () => void;
  command: () => { argv: readonly string[]; options?: SpawnSyncOptions };
  after?: () => void;
}

/** The middle value. Of an even number of values it is the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

// timer prints "user-us system-us wall-us status" to fd 3. node itself does not tell the time of
// its children.
function time(timer: string, { argv, options }: ReturnType<Case['command']>): Sample {
  const result = spawnSync(timer, argv, {
    encoding: 'utf8',
    ...options,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [user = 0, system = 0, wall = 0, status = -1] = String(result.output?.[3] ?? '')
    .split(' ')
    .map(Number);
  if (status !== 0) throw new Error(`${argv.join(' ')}: status ${status}`);
  return { wall: wall / 1000, cpu: (user + system) / 1000 };
}

/** Runs each case once a round, so that other work of the machine slows all of them alike. */
export function measure(timer: string, cases: readonly Case[], rounds: number): Map<string, Sample> {
  const samples = new Map<string, Sample[]>(cases.map((c) => [c.name, []]));
  // The first round warms the caches up and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const { name, before, command, after } of cases) {
      before?.();
      const sample = time(timer, command());
      after?.();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return new Map(
    [...samples].map(([name, s]) => [
      name,
      { wall: median(s.map((x) => x.wall)), cpu: median(s.map((x) => x.cpu)) },
    ]),
  );
}
