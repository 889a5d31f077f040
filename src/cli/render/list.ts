// SPDX-License-Identifier: MIT
import type { State } from '../../verbs/state.ts';
import { table } from './table.ts';

const HEAD = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];

/** The states of containers as a table or as JSON, or their ids alone (quiet). */
export function renderList(states: readonly State[], format: 'table' | 'json' | 'quiet'): string {
  if (format === 'quiet') return states.map((s) => `${s.id}\n`).join('');
  if (format === 'json') return `${JSON.stringify(states)}\n`;
  const rows = states.map((s) => [s.id, String(s.pid), s.status, s.bundle, s.created, s.owner]);
  return table([HEAD, ...rows]);
}
