// SPDX-License-Identifier: MIT

const NARROWEST = 12;

/** Rows as lines of columns, which are as wide as their longest cell, and at least 12 wide. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(NARROWEST, ...rows.map((r) => (r[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ');
  return rows.map((row) => `${line(row)}\n`).join('');
}
