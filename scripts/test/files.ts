// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The top directory of the repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** Folders with this name hold tests that only `npm test -- all` runs. */
const LONG = 'long';

export interface Selection {
  /** The long tests count as well. */
  long: boolean;
  /** The folders to leave out, as paths from the top. */
  without?: readonly string[];
}

/** The test files below a folder, as sorted paths from the top. */
export function testFiles(folder: string, { long, without = [] }: Selection): string[] {
  const below = (path: string): string[] =>
    readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((entry) => {
      const inner = join(path, entry.name);
      if (!entry.isDirectory()) return entry.name.endsWith('.test.ts') ? [inner] : [];
      return without.includes(inner) || (entry.name === LONG && !long) ? [] : below(inner);
    });
  return below(folder).sort();
}
