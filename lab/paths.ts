// SPDX-License-Identifier: MIT
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directory of the lab's own sources. */
export const LAB_SOURCE = path.dirname(fileURLToPath(import.meta.url));

/** Top directory of the repository. */
export const REPOSITORY = path.dirname(LAB_SOURCE);

/**
 * The folder of all state of the lab: images, sysroot, guest files, and the running machine. Git
 * ignores it.
 */
export const LAB_STATE = process.env.VXN_LAB_DIR
  ? path.resolve(process.env.VXN_LAB_DIR)
  : path.join(REPOSITORY, '.lab');

/** A path inside the lab's state directory. */
export function statePath(...parts: string[]): string {
  return path.join(LAB_STATE, ...parts);
}
