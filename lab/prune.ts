// SPDX-License-Identifier: MIT
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { glob } from './glob.ts';

/** Removes the entries of a directory whose names match, except the ones to keep. */
export async function removeOthers(directory: string, name: RegExp, keep: readonly string[]): Promise<void> {
  for (const entry of await glob(directory, name)) {
    if (!keep.includes(path.basename(entry))) await rm(entry, { recursive: true, force: true });
  }
}
