// SPDX-License-Identifier: MIT
// Runs test files with node's own runner.
import { basename } from 'node:path';
import { run } from './command.ts';
import { type Count, FAIL, PASS, sum } from './count.ts';
import type { TestMessage } from './reporter.ts';
import type { Bench } from './stage.ts';

export interface NodeTestOptions {
  files: readonly string[];
  /** The number of files that run at the same time. */
  concurrency: number;
  /** The text before each line of their output. */
  prefix?: string;
  /** Variables to add to their environment. */
  env?: NodeJS.ProcessEnv;
}

/** The position of a run: the files at work, and the number of ended ones. */
class Position {
  readonly #running = new Set<string>();
  #ended = 0;

  constructor(private readonly total: number) {}

  take(message: TestMessage): void {
    if (message.type === 'begin') this.#running.add(message.file);
    if (message.type !== 'end') return;
    this.#running.delete(message.file);
    this.#ended++;
  }

  toString(): string {
    const names = [...this.#running].map((file) => basename(file, '.test.ts'));
    return `${this.#ended} of ${this.total} files, now ${names.join(', ') || 'none'}`;
  }
}

/** Runs files in one runner of node's, which sorts them; each test is counted, and its time noted. */
async function runFiles(
  { screen, progress, timings, stage }: Bench,
  { files, concurrency, prefix = '', env = {} }: NodeTestOptions,
  position: Position,
): Promise<Count> {
  const counts: Count[] = [];
  const args = [
    ...['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/test/reporter.mjs', '--test-reporter-destination=stderr'],
    ...files,
  ];
  const onMessage = (sent: unknown): void => {
    const message = sent as TestMessage;
    position.take(message);
    progress.at(stage, String(position));
    if (message.type !== 'test') return;
    counts.push(message.passed ? PASS : FAIL);
    timings.push({ name: message.name, file: message.file, seconds: message.seconds });
  };
  const { status } = await run(process.execPath, args, { screen, prefix, onMessage, env });
  const count = sum(counts);
  // A failed hook shows up in no test.
  return status !== 0 && count.failed === 0 ? sum([count, FAIL]) : count;
}

/** Runs the files: one after the other in the order given, or several at a time in any order. */
export async function nodeTests(bench: Bench, options: NodeTestOptions): Promise<Count> {
  const { files, concurrency } = options;
  const position = new Position(files.length);
  const counts: Count[] = [];
  const batches = concurrency === 1 ? files.map((file) => [file]) : [files];
  for (const batch of batches) counts.push(await runFiles(bench, { ...options, files: batch }, position));
  return sum(counts);
}
