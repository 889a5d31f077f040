// SPDX-License-Identifier: MIT
// BitBake's files, read as far as that goes without BitBake: assignments, flags, functions, directives; everything else is
// an error.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Assignment {
  name: string;
  operator: string;
  value: string;
  line: number;
}

export interface BitbakeFunction {
  name: string;
  language: 'sh' | 'python' | 'def';
  body: string;
  line: number;
}

export interface Metadata {
  file: string;
  text: string;
  assignments: Assignment[];
  functions: BitbakeFunction[];
  directives: string[];
}

const ASSIGNMENT =
  /^(?:export )?([A-Za-z0-9_${}@.:+/-]+(?:\[[A-Za-z0-9_.+@/-]+\])?)\s*(\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=)\s*("|')(.*)$/s;
const FUNCTION = /^(?:(fakeroot|python)\s+)?([A-Za-z0-9_:${}-]*)\s*\(\)\s*\{\s*$/;
const DIRECTIVE = /^(?:inherit|inherit_defer|require|include|addtask|deltask|addpylib|EXPORT_FUNCTIONS)\s+\S/;

export class BitbakeError extends Error {}

/** Reads a recipe, a class or a configuration. Throws BitbakeError with file and line. */
export function parseBitbake(file: string, text: string): Metadata {
  const lines = text.split('\n');
  const result: Metadata = { file, text, assignments: [], functions: [], directives: [] };
  const fail = (line: number, what: string): never => {
    throw new BitbakeError(`${file}:${line + 1}: ${what}`);
  };
  let i = 0;
  const block = (end: (line: string) => boolean): string => {
    const from = ++i;
    while (i < lines.length && !end(lines[i] ?? '')) i++;
    return lines.slice(from, i).join('\n');
  };
  for (; i < lines.length; i++) {
    const start = i;
    let line = lines[i] ?? '';
    if (line.includes('\t')) fail(i, 'a tab');
    if (/\s$/.test(line)) fail(i, 'blanks at the end');
    if (line === '' || line.startsWith('#')) continue;
    const fn = FUNCTION.exec(line);
    if (fn !== null) {
      const language = fn[1] === 'python' ? 'python' : 'sh';
      const body = block((l) => l === '}');
      if (i === lines.length) fail(start, 'the function does not end');
      result.functions.push({ name: fn[2] ?? '', language, body, line: start + 1 });
      continue;
    }
    if (line.startsWith('def ')) {
      const rest = block((l) => l !== '' && !/^\s/.test(l));
      result.functions.push({ name: line, language: 'def', body: `${line}\n${rest}`, line: start + 1 });
      i--;
      continue;
    }
    while (line.endsWith('\\')) {
      i++;
      if (i === lines.length) fail(start, 'the line does not end');
      line = `${line.slice(0, -1)}\n${lines[i]}`;
    }
    const assignment = ASSIGNMENT.exec(line);
    if (assignment !== null) {
      const [, name = '', operator = '', quote = '', rest = ''] = assignment;
      if (!rest.endsWith(quote)) fail(start, `${name} does not end with ${quote}`);
      result.assignments.push({ name, operator, value: rest.slice(0, -1), line: start + 1 });
      continue;
    }
    if (!DIRECTIVE.test(line)) fail(start, `neither assignment nor function nor directive: ${line}`);
    result.directives.push(line);
  }
  return result;
}

/** Files below a folder of the layer that satisfy a pattern, relative to it. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder))
    .map((name) => join(folder, name))
    .flatMap((path) => {
      if (statSync(join(ROOT, path)).isDirectory()) return filesBelow(path, pattern);
      return pattern.test(path) ? [relative('.', path)] : [];
    })
    .sort();
}

export function readMetadata(file: string): Metadata {
  return parseBitbake(file, readFileSync(join(ROOT, file), 'utf8'));
}

/** Every file of the layer that BitBake reads. */
export function layerFiles(): string[] {
  const folders = readdirSync(ROOT).filter((f) => /^(?:recipes-.*|classes.*|conf)$/.test(f));
  return folders.flatMap((folder) => filesBelow(folder, /\.(?:bb|bbappend|bbclass|inc|conf)$/)).sort();
}
