// SPDX-License-Identifier: MIT
// The runtime added to a config.toml of others. What a version of containerd does with imports decides where it goes.
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TomlError } from 'smol-toml';
import { matchesGlob } from '../../glob.ts';
import type { Diagnostic, DiagnosticCode, Place, Source } from '../diagnostics.ts';
import { containerdKeys, type PlanInput, places, renderPart } from '../plan.ts';
import { tomlTable } from '../quote.ts';
import { newestConfigVersion } from '../target.ts';
import { addToToml, at, hasHeader, isExtension, type KeyAddition, readToml, type Toml } from './toml-edit.ts';

export interface ContainerdMerge {
  /** The edited text; the same when there is nothing to add. */
  text: string;
  /** The version that a drop-in must have, where the file imports it; then the text is not edited. */
  dropInVersion?: '2' | '3' | '4';
  /** What the user should know. */
  notes: string[];
  diagnostics: Diagnostic[];
}

const CRI_PLUGINS = ['cri', 'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.runtime'];

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

/** Where TOML is not TOML. */
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
    if (!Array.isArray(disabled) || !disabled.some((plugin) => CRI_PLUGINS.includes(String(plugin)))) return;
    this.notes.push(
      `${this.source.name} disables CRI (disabled_plugins): pods cannot run under vxn; ctr and docker can`,
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

const hasPlugins = (toml: Toml): boolean =>
  ['plugins', 'disabled_plugins', 'required_plugins'].some((key) => toml[key] !== undefined);

function importsDropIn(toml: Toml, input: PlanInput, folder: string): boolean {
  const imports = at(toml, ['imports']);
  if (!Array.isArray(imports)) return false;
  const { containerdDropIn } = places(input.target);
  return imports.some(
    (glob) => typeof glob === 'string' && matchesGlob(containerdDropIn, posix.resolve(folder, glob)),
  );
}

/**
 * Adds the runtime to a config.toml that is there: into the file itself, or into a drop-in where the file imports it and this
 * containerd merges what it imports. readImports gives the files that globs name.
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
  const newest = newestConfigVersion(containerd.version);
  // Without a version, 1.x reads a file as of version 1, which 2.x does not read at all.
  const isOld = toml.version === undefined && newest !== '2';
  const version = isOld ? Number(containerd.configVersion) : Number(toml.version ?? 1);
  const merge = new Merge(input, source, toml, version);
  if (isOld && hasPlugins(toml)) {
    merge.complain(
      'CONFLICT',
      'plugins',
      `it has no version, so it is of version 1, which containerd ${containerd.version} does not read`,
      'containerd config migrate',
    );
    return { text: source.text, notes: [], diagnostics: merge.diagnostics };
  }
  if (isOld) merge.addVersion();
  if (!(version >= 1 && version <= Number(newest))) {
    merge.complain(
      'TOO_NEW',
      'version',
      `it has version ${String(toml.version)}; containerd ${containerd.version} reads versions up to ${newest}`,
      'name the generation that runs here with --set containerd.version=...',
    );
    return { text: source.text, notes: [], diagnostics: merge.diagnostics };
  }
  merge.noteDisabled();
  const globs = (at(toml, ['imports']) ?? []) as unknown[];
  if (newest === '2') merge.checkImports(readImports(globs.filter((g) => typeof g === 'string')));
  else if (
    !isOld &&
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
  merge.addRuntime();
  for (const { table, key, value, description } of containerdKeys(input.target, version))
    merge.addKey(['plugins', ...table], key, value, description);
  return { text: merge.finish(), notes: merge.notes, diagnostics: merge.diagnostics };
}
