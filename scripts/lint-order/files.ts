// SPDX-License-Identifier: MIT
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// Neither folder holds sources of ours.
const SKIPPED = new Set(['node_modules', 'build']);

/**
 * All files below the folders whose names match, sorted, as paths below root. A folder that does
 * not exist has none.
 */
export function filesBelow(root: string, folders: readonly string[], name: RegExp): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(root, [path], name);
        return entry.isFile() && name.test(entry.name) ? [path] : [];
      }),
    )
    .sort();
}
