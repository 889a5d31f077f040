// SPDX-License-Identifier: MIT
import { lintC } from './c.ts';
import { EXCEPTIONS, type Exception } from './order.ts';
import { lintTypeScript } from './typescript.ts';

/** A finding without the number of its line, which any edit above it changes. */
function withoutLine(finding: string): string {
  return finding.replace(/^([^ ]+):\d+ /, '$1 ');
}

/** The findings that no exception is for, and a line for each exception that has no finding. */
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
 * One line for each place where the sources of a tree break the order of its folders, look at the
 * caller where they must not, or make a circle. None when all is well. Throws when a compiler fails.
 */
export function lintOrder(root: string): string[] {
  return applyExceptions([...new Set([...lintTypeScript(root), ...lintC(root)])], EXCEPTIONS);
}
