// SPDX-License-Identifier: MIT
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * The sorted paths of the entries of a directory whose names match. There is none when the
 * directory does not exist.
 */
export async function glob(directory: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(directory).catch(() => []);
  return entries
    .filter((entry) => name.test(entry))
    .sort()
    .map((entry) => path.join(directory, entry));
}
