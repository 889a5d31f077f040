// SPDX-License-Identifier: MIT
import { loadTarget } from '../load.ts';
import { type PlanInput, type Planned, planTarget } from '../plan.ts';
import { resolveTarget } from '../target.ts';
import { templateReader } from '../templates.ts';

export interface Context {
  /** The folder of templates and of the descriptions that come with vxn. */
  templates: string;
  /** Of vxn. */
  version: string;
  /** The folder that relative paths start from. */
  cwd: string;
  print(text: string): void;
}

/** Options of every command that works on a target. */
export interface TargetOptions {
  target: string;
  set?: readonly string[];
}

/** Collects the input of a plan. Throws DescriptionError. */
export function planInput(context: Context, { target, set }: TargetOptions): PlanInput {
  return {
    target: resolveTarget(loadTarget(context, target, set)),
    version: context.version,
    template: templateReader(context.templates),
  };
}

/** The files of a target. Throws DescriptionError. */
export function plan(context: Context, options: TargetOptions): Planned[] {
  return planTarget(planInput(context, options));
}
