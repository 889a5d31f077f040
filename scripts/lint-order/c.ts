// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canBuild, VARIANTS } from './build.ts';
import { findCalls } from './calls.ts';
import { circles } from './cycles.ts';
import { CALLS, INCLUDES } from './edges.ts';
import { filesBelow } from './files.ts';
import { againstOrder } from './folders.ts';
import { findIncludes } from './includes.ts';
import { C } from './order.ts';

function lintIncludes(root: string, files: readonly string[]): string[] {
  const { edges, findings } = findIncludes(root, files);
  return [...findings, ...againstOrder(files, edges, C, INCLUDES), ...circles(edges, INCLUDES)];
}

function lintCalls(root: string, files: readonly string[]): string[] {
  if (!existsSync(join(root, 'native/Makefile'))) return [];
  return VARIANTS.flatMap((variant) => {
    if (!canBuild(variant)) {
      return [`native: calls are not checked with ${variant.name}: install ${variant.needs?.package}`];
    }
    return findCalls(root, variant).flatMap((edges) => [
      ...againstOrder(files, edges, C, CALLS),
      ...circles(edges, CALLS),
    ]);
  });
}

/** A line for each place where the C of a tree breaks the order. Builds objects in native/build. */
export function lintC(root: string): string[] {
  const files = filesBelow(root, ['native'], /\.[ch]$/);
  return [...lintIncludes(root, files), ...lintCalls(root, files)];
}
