// SPDX-License-Identifier: MIT
import { stringify } from 'yaml';
import { position } from '../diagnostics.ts';
import type { Field, SectionField } from '../field.ts';
import { type Loaded, loadTarget } from '../load.ts';
import { SCHEMA } from '../schema.ts';
import { resolveTarget, type Target } from '../target.ts';
import type { Context, TargetOptions } from './context.ts';

export interface ShowOptions extends TargetOptions {
  json?: boolean;
}

const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();

/** The origin of a value, in a few words. */
function originOf({ layer }: Loaded, key: string, field: Field | undefined): string {
  const entry = layer.get(key);
  if (entry === undefined) return field?.derived === undefined ? 'default' : field.derived;
  const { file, line } = position(entry.place);
  return file === '--set' ? '--set' : `${file}:${line}`;
}

function valueAt(target: Target, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], target);
}

function renderSection(loaded: Loaded, target: Target, path: string[], section: SectionField): string[] {
  const indent = '  '.repeat(path.length);
  return Object.entries(section.fields).flatMap(([name, field]) => {
    const own = [...path, name];
    const key = own.join('.');
    if (key === 'extends') return [];
    if (field.kind === 'section') return [`${indent}${name}:`, ...renderSection(loaded, target, own, field)];
    if (field.kind === 'settings') return renderSettings(loaded, name);
    const value = valueAt(target, own);
    const origin = originOf(loaded, key, field);
    if (value === undefined) return [`${indent}# ${name}: ${origin}`];
    return [`${indent}${name}: ${inline(value)} # ${origin}`];
  });
}

function renderSettings(loaded: Loaded, name: string): string[] {
  const given = [...loaded.layer].filter(([key]) => key.startsWith(`${name}.`));
  if (given.length === 0) return [`# ${name}: none`];
  const lines = given.map(
    ([key, { value }]) =>
      `  ${key.slice(name.length + 1)}: ${inline(value)} # ${originOf(loaded, key, undefined)}`,
  );
  return [`${name}:`, ...lines];
}

/** Prints a target as one description that extends nothing, with where each value comes from. */
export function show(context: Context, options: ShowOptions): void {
  const loaded = loadTarget(context, options.target, options.set);
  const target = resolveTarget(loaded);
  if (options.json === true) context.print(`${JSON.stringify(target, null, 2)}\n`);
  else context.print(`${renderSection(loaded, target, [], SCHEMA).join('\n')}\n`);
}
