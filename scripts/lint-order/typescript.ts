// SPDX-License-Identifier: MIT
import { looksAtCaller } from './caller.ts';
import { circles } from './cycles.ts';
import { IMPORTS } from './edges.ts';
import { filesBelow } from './files.ts';
import { againstOrder, folderOf } from './folders.ts';
import { findImports } from './imports.ts';
import { KNOWS_THE_CALLER, TYPESCRIPT } from './order.ts';
import { openProgram, type Program } from './program.ts';
import { usesWorkingDirectory } from './working-directory.ts';

const FOLDERS = ['src', 'lab', 'scripts', 'test', 'native'];

function mustTakeCaller(file: string): boolean {
  return file.startsWith('src/') && !KNOWS_THE_CALLER.includes(folderOf(file, TYPESCRIPT) ?? '');
}

function findingsOf(root: string, files: readonly string[], program: Program): string[] {
  const { edges, findings } = findImports(root, program, files);
  const below = files.filter(mustTakeCaller);
  return [
    ...findings,
    ...againstOrder(files, edges, TYPESCRIPT, IMPORTS),
    ...circles(edges, IMPORTS),
    ...below.flatMap((file) => looksAtCaller(program, file)),
    ...below.flatMap((file) => usesWorkingDirectory(program, file)),
  ];
}

/** A line for each place where the TypeScript and JavaScript of a tree break the order. */
export function lintTypeScript(root: string): string[] {
  const files = filesBelow(root, FOLDERS, /\.m?[jt]s$/);
  if (files.length === 0) return [];
  const program = openProgram(root, files);
  try {
    return findingsOf(root, files, program);
  } finally {
    program.close();
  }
}
