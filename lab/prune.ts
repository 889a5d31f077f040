// SPDX-License-Identifier: MIT
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { glob } from './glob.ts';

/** Removes the entries of a directory that match a name and are not to be kept. */
export async function removeOthers(directory: string, name: RegExp, keep: readonly string[]): Promise<void> {
  for (const entry of await glob(directory, name)) {
    if (!keep.includes(path.basename(entry))) await rm(entry, { recursive: true, force: true });
  }
}
