// SPDX-License-Identifier: MIT
import { VxnError } from '../../host/errors.ts';
import type { Planned } from '../plan.ts';
import { alike, type Present, wanted } from '../tree.ts';
import { unifiedDiff } from '../unified.ts';
import { drift } from './check.ts';
import { type Context, plan, type TargetOptions } from './context.ts';

export interface DiffOptions extends TargetOptions {
  /** Another target, instead of a folder. */
  against?: string;
}

function text(what: Present | undefined): string {
  if (what === undefined) return '';
  if (what.kind === 'link') return `link to ${what.link}\n`;
  return what.kind === 'file'
    ? Buffer.from(what.content, 'latin1').toString('utf8')
    : 'neither a file nor a link\n';
}

function modeLine(path: string, a: Present | undefined, b: Present | undefined): string {
  if (a?.kind !== 'file' || b?.kind !== 'file' || a.mode === b.mode) return '';
  return `mode ${path} ${a.mode.toString(8)} -> ${b.mode.toString(8)}\n`;
}

function difference(path: string, a: Present | undefined, b: Present | undefined): string {
  if (alike(a, b)) return '';
  const nameA = a === undefined ? '/dev/null' : `a${path}`;
  const nameB = b === undefined ? '/dev/null' : `b${path}`;
  return modeLine(path, a, b) + unifiedDiff(nameA, nameB, text(a), text(b));
}

function betweenTargets(context: Context, options: TargetOptions, against: string): string {
  const byPath = (planned: Planned[]): Map<string, Present> =>
    new Map(planned.map((p) => [p.path, wanted(p)]));
  const a = byPath(plan(context, { target: against, set: [] }));
  const b = byPath(plan(context, options));
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort();
  return paths.map((path) => difference(path, a.get(path), b.get(path))).join('');
}

/**
 * Prints, in the unified form, how a folder, or another target, would have to change to be the
 * target. True when it is the target already.
 */
export function diff(context: Context, folder: string | undefined, options: DiffOptions): boolean {
  if ((folder === undefined) === (options.against === undefined))
    throw new VxnError('USAGE', 'diff needs either a folder or --against');
  const found =
    folder === undefined
      ? betweenTargets(context, options, options.against ?? '')
      : drift(context, folder, options)
          .map(({ path, change }) => difference(path, change.now, change.next))
          .join('');
  context.print(found);
  return found === '';
}
