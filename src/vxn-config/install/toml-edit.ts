// SPDX-License-Identifier: MIT
// Adds to the text of a TOML file of others: a block at its end, and single keys in tables that are
// there. Every addition carries a mark, by which it is found again.
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';

const BEGIN = '# >>> vxn-config install: up to the next mark; `vxn-config uninstall` takes it out';
const END = '# <<< vxn-config install';
const MARK = '# vxn-config install';

export type Toml = Record<string, unknown>;

/** Reads TOML. Throws smol-toml's TomlError, which has line and column. */
export function readToml(text: string): Toml {
  return parse(text.replace(/^\uFEFF/, '')) as Toml;
}

/** The value at a path of keys. */
export function at(toml: unknown, path: readonly string[]): unknown {
  let value = toml;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Toml)[key];
  }
  return value;
}

/** A key for a table that has a header of its own in the text, or for the top of the text. */
export interface KeyAddition {
  table: readonly string[];
  key: string;
  value: string;
}

// The header of a table, in any of the ways in which it can be written.
function headerPattern(table: readonly string[]): RegExp {
  const literal = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  const keys = table.map((key) => {
    const quoted = `"${literal(key)}"|'${literal(key)}'`;
    return /^[A-Za-z0-9_-]+$/.test(key) ? `(?:${quoted}|${literal(key)})` : `(?:${quoted})`;
  });
  return new RegExp(`^[ \\t]*\\[[ \\t]*${keys.join('[ \\t]*\\.[ \\t]*')}[ \\t]*\\][ \\t]*(?:#.*)?$`, 'm');
}

/** Offset of the end of a table's header, or undefined when it has none of its own. */
function headerEnd(text: string, table: readonly string[]): number | undefined {
  const match = headerPattern(table).exec(text);
  return match === null ? undefined : match.index + match[0].length;
}

/** Whether a table has a header of its own, into which a key can go. */
export const hasHeader = (text: string, table: readonly string[]): boolean =>
  headerEnd(text, table) !== undefined;

/**
 * Adds keys and a block, with the line ends of the text. Their tables' headers have to be there.
 */
export function addToToml(text: string, keys: readonly KeyAddition[], block: string): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  let edited = text;
  for (const { table, key, value } of keys) {
    if (table.length === 0) {
      edited = `${key} = ${value} ${MARK}${lineEnd}${edited}`;
      continue;
    }
    const end = headerEnd(edited, table);
    if (end === undefined) throw new Error(`no table [${table.join('.')}]`);
    // This header's own, so that it is whole again when the key is taken out.
    const its = edited.startsWith('\r\n', end) ? '\r\n' : '\n';
    edited = `${edited.slice(0, end)}${its}  ${key} = ${value} ${MARK}${edited.slice(end)}`;
  }
  if (block === '') return edited;
  const gap = edited === '' || edited.endsWith('\n') ? '' : lineEnd;
  const lines = [BEGIN, ...block.trimEnd().split('\n'), END, ''];
  return `${edited}${gap}${lines.join(lineEnd)}`;
}

/** Takes out what addToToml has added, whatever line ends an editor has given it since. */
export function stripToml(text: string): string {
  const kept: string[] = [];
  let inBlock = false;
  for (const line of text.split('\n')) {
    const words = line.replace(/\r$/, '');
    if (words === BEGIN) inBlock = true;
    else if (words === END) inBlock = false;
    else if (!inBlock && !words.endsWith(` ${MARK}`)) kept.push(line);
  }
  return kept.join('\n');
}

function prune(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date)
    return value;
  const entries = Object.entries(value)
    .map(([key, v]) => [key, prune(v)] as const)
    .filter(([, v]) => v !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Whether the second is the first and the additions: nothing of the first is gone or another. */
export function isExtension(before: Toml, after: Toml, additions: readonly (readonly string[])[]): boolean {
  const rest = structuredClone(after);
  for (const path of additions) {
    const parent = at(rest, path.slice(0, -1));
    if (typeof parent === 'object' && parent !== null) delete (parent as Toml)[path.at(-1) ?? ''];
  }
  return isDeepStrictEqual(prune(rest), prune(structuredClone(before)));
}
