// SPDX-License-Identifier: MIT
// The checks that read the sources without running them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './command.ts';
import { type Count, sum } from './count.ts';
import { ROOT } from './files.ts';
import type { Screen } from './screen.ts';

// The files of templates/ are checked in the form that dist/ has.
const NOT_OURS = new Set(['node_modules', '.git', '.lab', 'build', 'templates']);

const firstLine = (path: string): string => readFileSync(join(ROOT, path), 'latin1').split('\n', 1)[0] ?? '';

/**
 * All shell scripts of the project and of dist/, by their first line. vxn-oci-runtime only begins
 * as one.
 */
function shellScripts(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : shellScripts(path);
    if (!entry.isFile() || entry.name === 'vxn-oci-runtime' || statSync(join(ROOT, path)).size > 1e6)
      return [];
    return /^#!.*\b(ba|da)?sh\b/.test(firstLine(path)) ? [path] : [];
  });
}

/**
 * Runs biome, tsc, the check of the folders' order, shellcheck and the shells' own syntax checks.
 */
export async function lint(screen: Screen): Promise<Count> {
  const scripts = shellScripts();
  const bash = scripts.filter((path) => /^#!.*bash/.test(firstLine(path)));
  const plain = scripts.filter((path) => !bash.includes(path));
  const syntax = (shell: string, files: string[]): Promise<Count>[] =>
    files.map((file) => check(screen, `${shell} -n ${file}`, shell, ['-n', file]));
  return sum([
    await check(screen, 'biome check', 'node_modules/.bin/biome', ['check', '.']),
    await check(screen, 'tsc', 'node_modules/.bin/tsc', ['-p', 'tsconfig.json']),
    await check(screen, 'order of the folders', process.execPath, [
      '--import',
      'tsx',
      'scripts/lint-order.ts',
    ]),
    await check(screen, `shellcheck (${scripts.length} scripts)`, 'shellcheck', scripts),
    ...(await Promise.all([...syntax('sh', plain), ...syntax('bash', bash)])),
  ]);
}
