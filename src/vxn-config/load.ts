// SPDX-License-Identifier: MIT
// Loads a target by name or file. The descriptions that it extends, itself and --set are merged.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errno, messageOf } from '../host/errors.ts';
import { nearest } from '../host/nearest.ts';
import { DescriptionError, type Diagnostic, type Place, type Source } from './diagnostics.ts';
import { type Layer, parseDescription, parseSet } from './parse.ts';

const BIGGEST = 1 << 20;

/** Where descriptions are looked for. */
export interface Lookup {
  /** The folder of templates, with the descriptions that come with vxn. */
  templates: string;
  /** The folder that relative paths start from. */
  cwd: string;
}

export interface Loaded {
  /** For the generated files' heads: never a path. */
  name: string;
  /** The description that was asked for. */
  source: Source;
  layer: Layer;
  /** Keys that --set gave, sorted. */
  set: readonly string[];
}

/** The names of the descriptions that come with vxn, sorted. */
export function targetNames(templates: string): string[] {
  return readdirSync(join(templates, 'targets'))
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .sort();
}

const looksLikeFile = (name: string): boolean => name.includes('/') || /\.ya?ml$/.test(name);

class Loader {
  readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly lookup: Lookup) {}

  private fail(code: Diagnostic['code'], message: string, place?: Place, hint?: string): undefined {
    this.diagnostics.push({ code, message, place, hint });
    return undefined;
  }

  /** The file that a target's name or path means. */
  private find(name: string, folder: string, place?: Place): string | undefined {
    if (looksLikeFile(name)) return resolve(folder, name);
    const { templates } = this.lookup;
    const names = targetNames(templates);
    if (names.includes(name)) return join(templates, 'targets', `${name}.yaml`);
    const near = nearest(name.slice(0, 60), names);
    const known = near === undefined ? `there are ${names.join(', ')}` : `did you mean "${near}"?`;
    return this.fail('UNKNOWN_TARGET', `no target "${name}"`, place, `${known}; a file's name ends in .yaml`);
  }

  private read(file: string, shown: string, place?: Place): Source | undefined {
    try {
      if (statSync(file).size > BIGGEST)
        return this.fail('UNREADABLE', `${shown} is bigger than a description can be`, place);
      return { name: shown, text: readFileSync(file, 'utf8') };
    } catch (error) {
      const why = errno(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
      return this.fail('UNREADABLE', `cannot read ${shown}: ${why}`, place);
    }
  }

  /** A description over the one that it extends. */
  load(
    name: string,
    folder: string,
    chain: readonly string[],
    place?: Place,
  ): { source: Source; layer: Layer } | undefined {
    const file = this.find(name, folder, place);
    if (file === undefined) return undefined;
    if (chain.includes(file)) return this.fail('EXTENDS_LOOP', `"${name}" extends itself`, place);
    const shown = looksLikeFile(name) ? name : `${name}.yaml`;
    const source = this.read(file, shown, place);
    return source === undefined ? undefined : this.over(source, file, chain);
  }

  /** A description's text over the description that it extends. */
  over(source: Source, file: string, chain: readonly string[]): { source: Source; layer: Layer } {
    const { layer, diagnostics } = parseDescription(source);
    this.diagnostics.push(...diagnostics);
    const parent = layer.get('extends');
    layer.delete('extends');
    if (parent === undefined) return { source, layer };
    const base = this.load(String(parent.value), dirname(file), [...chain, file], parent.place);
    // The line about the target itself is not inherited.
    base?.layer.delete('description');
    return { source, layer: new Map([...(base?.layer ?? []), ...layer]) };
  }
}

const fileName = (name: string): string =>
  basename(name)
    .replace(/\.ya?ml$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '_');

/**
 * Loads a description that is not in a file yet. Throws DescriptionError with everything that is
 * wrong.
 */
export function loadText(lookup: Lookup, source: Source): Loaded {
  const loader = new Loader(lookup);
  const { layer } = loader.over(source, resolve(lookup.cwd, source.name), []);
  if (loader.diagnostics.length > 0) throw new DescriptionError(loader.diagnostics);
  return { name: fileName(source.name), source, layer, set: [] };
}

/**
 * Loads a target by the name of a description that comes with vxn, or by file, and lays the
 * arguments of --set over it. Throws DescriptionError with every fault.
 */
export function loadTarget(lookup: Lookup, target: string, sets: readonly string[] = []): Loaded {
  const loader = new Loader(lookup);
  const loaded = loader.load(target, lookup.cwd, []);
  const layer: Layer = loaded?.layer ?? new Map();
  const set: string[] = [];
  for (const argument of sets) {
    const parsed = parseSet(argument);
    loader.diagnostics.push(...parsed.diagnostics);
    for (const [key, entry] of parsed.layer) {
      layer.set(key, entry);
      set.push(key);
    }
  }
  if (loader.diagnostics.length > 0 || loaded === undefined) throw new DescriptionError(loader.diagnostics);
  return { name: fileName(target), source: loaded.source, layer, set: [...new Set(set)].sort() };
}
