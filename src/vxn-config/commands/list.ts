// SPDX-License-Identifier: MIT
import { loadTarget, targetNames } from '../load.ts';
import { resolveTarget } from '../target.ts';
import type { Context } from './context.ts';

/** Prints the targets that come with vxn. */
export function list(context: Context, { json }: { json?: boolean }): void {
  const targets = targetNames(context.templates).map((name) => {
    const { description, architecture, engines } = resolveTarget(loadTarget(context, name));
    return { name, architecture, engines, description };
  });
  const width = Math.max(...targets.map((t) => t.name.length));
  const lines = targets.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`);
  context.print(json === true ? `${JSON.stringify(targets, null, 2)}\n` : lines.join(''));
}
