// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { type Change, computeChanges } from '../install/changes.ts';
import { Store } from '../install/state.ts';
import { type Context, planInput, type TargetOptions } from './context.ts';

export interface CheckOptions extends TargetOptions {
  json?: boolean;
}

export interface Drift {
  path: string;
  what: string;
  change: Change;
}

function whatDiffers({ action, now, next }: Change): string {
  if (now === undefined) return 'is missing';
  if (action === 'edited') return 'lacks our part';
  if (now.kind === 'file' && next.kind === 'file') {
    const mode = (n: number): string => n.toString(8).padStart(4, '0');
    if (now.content === next.content) return `has the mode ${mode(now.mode)}, not ${mode(next.mode)}`;
    return 'has another content';
  }
  if (next.kind === 'link') return `is not a link to ${next.link}`;
  return now.kind === 'link' ? `is a link to ${now.link}` : 'is not a file';
}

/** Finds what a tree below a folder lacks. Files of others are in order when they hold our part. */
export function drift(context: Context, folder: string, options: TargetOptions): Drift[] {
  const { changes } = computeChanges(planInput(context, options), new Store(resolve(context.cwd, folder)), {
    state: undefined,
    extra: [],
    force: false,
  });
  return changes
    .filter(({ action }) => action !== 'unchanged')
    .map((change) => ({ path: change.path, what: whatDiffers(change), change }));
}

/** Prints what differs between a tree and its target. Gives whether nothing does. */
export function check(context: Context, folder: string, options: CheckOptions): boolean {
  const found = drift(context, folder, options);
  if (options.json === true) {
    context.print(`${JSON.stringify({ drift: found.map(({ path, what }) => ({ path, what })) }, null, 2)}\n`);
  } else {
    context.print(found.map(({ path, what }) => `${path} ${what}\n`).join(''));
  }
  return found.length === 0;
}
