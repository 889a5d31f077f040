// SPDX-License-Identifier: MIT
// Adds the runtime to a config.toml of others. It goes into the file or into a drop-in: that
// depends on what a version of containerd does with imports.
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TomlError } from 'smol-toml';
import { matchesGlob } from '../../host/glob.ts';
import type { Diagnostic, DiagnosticCode, Place, Source } from '../diagnostics.ts';
import { containerdKeys, type PlanInput, places, renderPart } from '../plan.ts';
import { tomlTable } from '../quote.ts';
import { newestConfigVersion } from '../target.ts';
import { addToToml, at, hasHeader, isExtension, type KeyAddition, readToml, type Toml } from './toml-edit.ts';

export interface ContainerdMerge {
  /** The edited text; the same when there is nothing to add. */
  text: string;
  /**
   * The version that a drop-in must have, when the file imports it. The text is not edited then.
   */
  dropInVersion?: '2' | '3' | '4';
  /** Sentences for the user. */
  notes: string[];
  diagnostics: Diagnostic[];
}

const CRI_PLUGINS = ['cri', 'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.runtime'];
/** Plugins without which 2.x has no CRI either. */
const CRI_PARTS = [...CRI_PLUGINS, 'io.containerd.cri.v1.images'];

/** The name of the CRI plugin in a configuration file of a version. */
export function criPlugin(version: number): string {
  if (version >= 3) return 'io.containerd.cri.v1.runtime';
  return version === 2 ? 'io.containerd.grpc.v1.cri' : 'cri';
}

/** A place in a text: where a word stands first, else its beginning. */
export function placeOfWord(source: Source, word: string): Place {
  const start = source.text.indexOf(word);
  return start === -1 ? { source, start: 0, end: 0 } : { source, start, end: start + word.length };
}

/** The place of a syntax error. */
function syntaxPlace(source: Source, error: TomlError): Place {
  const before = source.text.split('\n').slice(0, error.line - 1);
  const start = before.reduce((n, line) => n + line.length + 1, 0) + error.column - 1;
  return { source, start, end: start + 1 };
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;

class Merge {
  readonly diagnostics: Diagnostic[] = [];
  readonly notes: string[] = [];
  readonly keys: KeyAddition[] = [];
  /** The lines of tables that the text does not open yet, by header: each may be opened once. */
  readonly tables = new Map<string, string[]>();
  readonly blocks: string[] = [];
  readonly additions: string[][] = [];

  constructor(
    private readonly input: PlanInput,
    readonly source: Source,
    readonly toml: Toml,
    readonly version: number,
  ) {}

  complain(code: DiagnosticCode, word: string, message: string, hint: string): void {
    this.diagnostics.push({ code, message, place: placeOfWord(this.source, word), hint });
  }

  addRuntime(): void {
    const { handler } = this.input.target.containerd;
    const path = ['plugins', criPlugin(this.version), 'containerd', 'runtimes'];
    const text = renderPart(this.input, 'containerd-runtimes.toml', { cri: criPlugin(this.version) });
    const ours = at(readToml(text), [...path, handler]);
    const theirs = at(this.toml, [...path, handler]);
    if (theirs === undefined) this.addBlock(text, [...path, handler]);
    else if (!isDeepStrictEqual(theirs, ours)) {
      this.complain(
        'CONFLICT',
        `runtimes.${handler}`,
        `there is another runtime "${handler}" in it`,
        'remove its tables, or give this one another name with --set containerd.handler=NAME',
      );
    }
    // containerd 1.x forgets its own entry of runc where any runtime is configured.
    if (at(this.toml, [...path, 'runc']) === undefined) {
      const runc = renderPart(this.input, 'containerd-runc.toml', { cri: criPlugin(this.version) });
      this.addBlock(runc, [...path, 'runc']);
    }
  }

  private addBlock(text: string, path: string[]): void {
    this.blocks.push(text.trimEnd());
    this.additions.push(path);
  }

  /** A key that the target wants to have a value. */
  addKey(table: string[], key: string, value: string, description: string): void {
    const theirs = at(this.toml, [...table, key]);
    if (theirs === value) return;
    if (theirs !== undefined) {
      this.complain(
        'CONFLICT',
        key,
        `${key} is ${JSON.stringify(theirs)} in it; the target wants ${JSON.stringify(value)}`,
        `change it by hand, or do not set ${description}`,
      );
      return;
    }
    this.additions.push([...table, key]);
    const toml = JSON.stringify(value);
    if (hasHeader(this.source.text, table)) {
      this.keys.push({ table, key, value: toml });
      return;
    }
    const header = `[${tomlTable(table)}]`;
    this.tables.set(header, [...(this.tables.get(header) ?? [header]), `  ${key} = ${toml}`]);
  }

  /** A version, for a file that has none. */
  addVersion(): void {
    this.additions.push(['version']);
    this.keys.push({ table: [], key: 'version', value: String(this.version) });
  }

  /** On 1.x, a file that is imported replaces the configuration of a plugin as a whole. */
  checkImports(imported: readonly Source[]): void {
    for (const { name, text } of imported) {
      let toml: Toml;
      try {
        toml = readToml(text);
      } catch {
        continue;
      }
      if (CRI_PLUGINS.every((plugin) => at(toml, ['plugins', plugin]) === undefined)) continue;
      this.complain(
        'CONFLICT',
        'imports',
        `it imports ${name}, which replaces the CRI configuration of this file`,
        `move the CRI tables of ${name} into this file`,
      );
    }
  }

  noteDisabled(): void {
    const disabled = at(this.toml, ['disabled_plugins']);
    if (!Array.isArray(disabled) || !disabled.some((plugin) => CRI_PARTS.includes(String(plugin)))) return;
    this.notes.push(
      `${this.source.name} disables CRI: pods cannot run under vxn before it is out of disabled_plugins; ctr and docker can`,
    );
  }

  finish(): string {
    if (this.additions.length === 0 || this.diagnostics.length > 0) return this.source.text;
    try {
      const tables = [...this.tables.values()].map((lines) => lines.join('\n'));
      const text = addToToml(this.source.text, this.keys, [...tables, ...this.blocks].join('\n\n'));
      if (isExtension(this.toml, readToml(text), this.additions)) return text;
      throw new Error('other values would change');
    } catch (error) {
      const why = firstLine(error instanceof Error ? error.message : String(error));
      this.complain(
        'CONFLICT',
        'runtimes',
        `tables of the CRI plugin cannot be added to it: ${why}`,
        'write its [plugins...] tables as tables with headers, not inline or by dotted keys',
      );
      return this.source.text;
    }
  }
}

/**
 * The version whose names of plugins this containerd reads in a file; undefined when it ignores
 * tables of CRI that are in it.
 *
 * containerd 2.x renames the plugins of a file of version 1 and takes full names as they are. Up to
 * 2.2 it then treats the file as version 3, and never moves the older CRI plugin's tables to the
 * plugins that replaced it. 2.3 moves them, but loses an older name beside another one.
 */
function versionOfNames(toml: Toml, version: number, newest: number): number | undefined {
  if (version >= 2 || newest === 2) return version;
  const [name, another] = CRI_PLUGINS.filter((plugin) => at(toml, ['plugins', plugin]) !== undefined);
  if (name === undefined || (name === criPlugin(3) && another === undefined)) return 3;
  if (newest === 3 || another !== undefined) return undefined;
  return name === criPlugin(1) ? 1 : 2;
}

function importsDropIn(toml: Toml, input: PlanInput, folder: string): boolean {
  const imports = at(toml, ['imports']);
  if (!Array.isArray(imports)) return false;
  const { containerdDropIn } = places(input.target);
  return imports.some(
    (glob) => typeof glob === 'string' && matchesGlob(containerdDropIn, posix.resolve(folder, glob)),
  );
}

/**
 * Adds the runtime to a config.toml that is there. It goes into a drop-in when the file imports it
 * and this containerd merges imports, else into the file itself. readImports gives the files that
 * globs name.
 */
export function mergeContainerd(
  input: PlanInput,
  source: Source,
  readImports: (globs: readonly string[]) => Source[],
): ContainerdMerge {
  const { containerd } = input.target;
  let toml: Toml;
  try {
    toml = readToml(source.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = firstLine(error.message).replace(/^Invalid TOML document: /, '');
    const place = syntaxPlace(source, error);
    return {
      text: source.text,
      notes: [],
      diagnostics: [{ code: 'NOT_TOML', message, place, hint: undefined }],
    };
  }
  const newest = Number(newestConfigVersion(containerd.version));
  // containerd takes a file without a version for one of version 1.
  const version = Number(toml.version ?? 0) || 1;
  const isEmpty = newest > 2 && Object.keys(toml).length === 0;
  const names = isEmpty ? Number(containerd.configVersion) : versionOfNames(toml, version, newest);
  const merge = new Merge(input, source, toml, names ?? version);
  if (!(version >= 1 && version <= newest)) {
    merge.complain(
      'TOO_NEW',
      'version',
      `it has version ${String(toml.version)}; containerd ${containerd.version} reads versions up to ${newest}`,
      'name the generation that runs here with --set containerd.version=...',
    );
  } else if (names === undefined) {
    merge.complain(
      'CONFLICT',
      'plugins.',
      `it has no version, or version 1, so containerd ${containerd.version} leaves out tables of CRI that are in it`,
      'put "version = 2" at its top, and name all plugins in full: "cri" is "io.containerd.grpc.v1.cri"',
    );
  }
  if (merge.diagnostics.length > 0) return { text: source.text, notes: [], diagnostics: merge.diagnostics };
  merge.noteDisabled();
  const globs = (at(toml, ['imports']) ?? []) as unknown[];
  if (newest === 2) merge.checkImports(readImports(globs.filter((g) => typeof g === 'string')));
  else if (
    containerd.layout === 'drop-in' &&
    version >= 2 &&
    importsDropIn(toml, input, posix.dirname(source.name))
  ) {
    const lowest = Math.min(version, Number(containerd.configVersion));
    return {
      text: source.text,
      dropInVersion: `${lowest}` as '2' | '3' | '4',
      notes: merge.notes,
      diagnostics: [],
    };
  }
  // Only here: with a version, 2.x would read what else is in a file in another way.
  if (isEmpty) merge.addVersion();
  merge.addRuntime();
  for (const { table, key, value, description } of containerdKeys(input.target, merge.version))
    merge.addKey(['plugins', ...table], key, value, description);
  return { text: merge.finish(), notes: merge.notes, diagnostics: merge.diagnostics };
}
