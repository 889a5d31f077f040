// SPDX-License-Identifier: MIT
import { lintC } from './c.ts';
import { EXCEPTIONS, type Exception } from './order.ts';
import { lintTypeScript } from './typescript.ts';

/** A finding without its line number. Any edit above it would change the number. */
function withoutLine(finding: string): string {
  return finding.replace(/^([^ ]+):\d+ /, '$1 ');
}

/** The findings without an exception, and a line for each exception without a finding. */
export function applyExceptions(findings: readonly string[], exceptions: readonly Exception[]): string[] {
  const allowed = new Set(exceptions.map(({ finding }) => finding));
  const found = new Set(findings.map(withoutLine));
  const idle = exceptions.filter(({ finding }) => !found.has(finding));
  return [
    ...findings.filter((finding) => !allowed.has(withoutLine(finding))),
    ...idle.map(({ finding }) => `an exception is for nothing: ${finding}`),
  ];
}

/**
 * A line for each fault in the sources of a tree. A fault breaks the order of the folders, looks at
 * the caller where that is forbidden, or makes a circle. Throws when a compiler fails.
 */
export function lintOrder(root: string): string[] {
  return applyExceptions([...new Set([...lintTypeScript(root), ...lintC(root)])], EXCEPTIONS);
}
