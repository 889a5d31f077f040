// SPDX-License-Identifier: MIT
// The report at the end of `npm test`.
import type { Result, Timing } from './stage.ts';
import { totalOf } from './stage.ts';

const SLOWEST = 10;
const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** A table with columns as wide as needed. Columns of numbers are aligned to the right. */
function table(rows: readonly string[][], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(pad).join('  ').trimEnd()}`);
}

function slowest(timings: readonly Timing[]): string[] {
  const first = [...timings].sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  if (first.length === 0) return [];
  return [
    '',
    'slowest tests:',
    ...table(
      first.map((t) => [seconds(t.seconds), t.file, t.name]),
      [0],
    ),
  ];
}

function stages(results: readonly Result[]): string[] {
  const rows = results.map(({ name, budget, count, seconds: took }) => [
    name,
    seconds(took),
    `of ${budget} s`,
    `${count.passed} passed, ${count.failed} failed`,
    took > budget ? 'OVER BUDGET' : '',
  ]);
  return ['', 'stages:', ...table(rows, [1, 2])];
}

/**
 * The report: the slowest tests, a line for each stage, the whole time, and as the last line `N
 * passed, N failed`.
 */
export function report(results: readonly Result[], timings: readonly Timing[], took: number): string {
  const { passed, failed } = totalOf(results);
  const whole = `all of it: ${seconds(took)}`;
  return [
    ...slowest(timings),
    ...stages(results),
    '',
    whole,
    '',
    `${passed} passed, ${failed} failed`,
    '',
  ].join('\n');
}
