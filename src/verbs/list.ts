// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';
import type { State } from './state.ts';

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(12, ...rows.map((r) => (r[i] ?? '').length)));
  return rows
    .map((r) => `${r.map((c, i) => (i === r.length - 1 ? c : c.padEnd(widths[i] ?? 0))).join('  ')}\n`)
    .join('');
}

/** `list`: as a table, as JSON, or the ids alone. Throws USAGE on another format. */
export function renderList(states: readonly State[], format: string, quiet: boolean): string {
  if (quiet) return states.map((s) => `${s.id}\n`).join('');
  if (format === 'json') return `${JSON.stringify(states)}\n`;
  if (format !== 'table')
    throw new VxnError('USAGE', `unknown format "${format}"`, { hint: 'table or json' });
  const rows = states.map((s) => [s.id, String(s.pid), s.status, s.bundle, s.created, s.owner]);
  return table([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], ...rows]);
}
