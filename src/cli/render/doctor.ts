// SPDX-License-Identifier: MIT
import type { Finding } from '../../doctor/check.ts';
import { count } from '../../doctor/doctor.ts';

// A summary may quote another program, which may write anything.
const plain = (text: string): string => text.replace(/[^\x20-\x7e]+/g, '?');

/** The findings for people: a line each, what to do below those that need it, and the sum. */
export function renderText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ id }) => id.length));
  const lines = findings.flatMap(({ id, status, summary, advice }) => [
    `${status.padEnd(8)} ${id.padEnd(width)}  ${plain(summary)}`,
    ...(advice === undefined ? [] : [`${' '.repeat(width + 11)}-> ${plain(advice)}`]),
  ]);
  const c = count(findings);
  return `${lines.join('\n')}\n\n${c.ok} ok, ${c.warning} warnings, ${c.failed} failed, ${c.skipped} skipped\n`;
}

/** The findings for programs. */
export function renderJson(findings: readonly Finding[], version: string): string {
  return `${JSON.stringify({ version, ...count(findings), checks: findings }, null, 2)}\n`;
}
