// SPDX-License-Identifier: MIT
import type { Dom0Process } from '../../verbs/ps.ts';

const row = (pid: string, kind: string, program: string): string =>
  `${pid.padEnd(10)}${kind.padEnd(11)}${program}\n`;

/** Processes as a table, or as the JSON list of pids that engines read. */
export function renderPs(processes: readonly Dom0Process[], format: 'table' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(processes.map(({ pid }) => pid))}\n`;
  const rows = processes.map(({ pid, kind, program }) => row(String(pid), kind, program));
  return row('PID', 'KIND', 'PROGRAM') + rows.join('');
}
