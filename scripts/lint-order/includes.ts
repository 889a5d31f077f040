// SPDX-License-Identifier: MIT
// The includes in C. Headers of the system, in angle brackets, are left out.
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Edge } from './edges.ts';

/** The includes among the files of a tree. */
export interface Includes {
  edges: Edge[];
  /** A line for each include that cannot be followed. */
  findings: string[];
}

// A string stays as it is, because something like a comment in it is none.
const STRING_OR_COMMENT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/(?:\\\n|[^\n])*/g;
const INCLUDE = /^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<[^>\n]*>|(.*))/gm;

function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) => (found.startsWith('/') ? ' ' : found));
}

/** The names that a C text includes in quotes. A name is undefined where a macro gives it. */
export function includedBy(text: string): (string | undefined)[] {
  return [...withoutComments(text).matchAll(INCLUDE)].flatMap(([, name, macro]) =>
    name === undefined && macro === undefined ? [] : [name],
  );
}

/** The folders where the compiler looks for a header that a file includes, nearest first. */
function searched(file: string): string[] {
  const [native = '', program = ''] = file.split('/');
  const programs = ['common', program, 'agent', 'monitor'].map((folder) => `${native}/${folder}`);
  return [posix.dirname(file), ...programs, native];
}

function includesOf(root: string, file: string): Includes {
  const includes: Includes = { edges: [], findings: [] };
  for (const name of new Set(includedBy(readFileSync(join(root, file), 'utf8')))) {
    const paths = name === undefined ? [] : searched(file).map((folder) => posix.join(folder, name));
    const to = paths.find((path) => existsSync(join(root, path)));
    if (to !== undefined) includes.edges.push({ from: file, to });
    else includes.findings.push(`${file} includes ${name ?? 'what a macro names'}, which is not found`);
  }
  return includes;
}

/** The includes of all files, which are paths below root. */
export function findIncludes(root: string, files: readonly string[]): Includes {
  const all = files.map((file) => includesOf(root, file));
  return { edges: all.flatMap((i) => i.edges), findings: all.flatMap((i) => i.findings) };
}
