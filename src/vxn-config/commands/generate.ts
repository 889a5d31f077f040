// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { launcher, type PlanInput, type Planned, places, planTarget } from '../plan.ts';
import { writePlanned } from '../tree.ts';
import { type Context, planInput, type TargetOptions } from './context.ts';

export interface GenerateOptions extends TargetOptions {
  out?: string;
  dryRun?: boolean;
  json?: boolean;
  /** A bundle of the runtime, to be installed with the first lines that fit the target. */
  runtime?: string;
}

const LAUNCHER = /^(?:#!.*\n|":" \/\/.*\n)+/;

/** The runtime from a bundle, with the first lines that fit the target. */
export function plannedRuntime(input: PlanInput, bundle: string): Planned {
  const body = readFileSync(bundle, 'utf8').replace(LAUNCHER, '');
  const path = places(input.target).runtime;
  return { path, kind: 'runtime', mode: 0o755, content: `${launcher(input)}\n${body}` };
}

/** A planned file for listings: what it is, without its content. */
export function describePlanned(planned: Planned): Record<string, unknown> {
  if ('link' in planned) return { path: planned.path, kind: planned.kind, link: planned.link };
  const { path, kind, mode, content } = planned;
  const bytes = Buffer.from(content);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, kind, mode: mode.toString(8).padStart(4, '0'), size: bytes.length, sha256 };
}

function line(planned: Planned): string {
  if ('link' in planned) return `link  ${planned.path} -> ${planned.link}`;
  return `${planned.mode.toString(8).padStart(4, '0')}  ${planned.path}`;
}

/**
 * Renders the files of a target below a folder, or lists them. Files of others are left alone.
 */
export function generate(context: Context, options: GenerateOptions): void {
  const input = planInput(context, options);
  const planned = planTarget(input);
  if (options.runtime !== undefined)
    planned.push(plannedRuntime(input, resolve(context.cwd, options.runtime)));
  const out = resolve(context.cwd, options.out ?? '.');
  if (options.dryRun !== true) for (const file of planned) writePlanned(out, file);
  if (options.json === true) {
    const { name, set } = input.target;
    const files = planned.map(describePlanned);
    context.print(`${JSON.stringify({ target: name, set, version: context.version, files }, null, 2)}\n`);
  } else {
    context.print(`${planned.map(line).join('\n')}\n`);
  }
}
