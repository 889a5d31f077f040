// SPDX-License-Identifier: MIT
// Files and folders as the whole of vxn handles them: replaced, claimed, read and removed.
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { attempt, errno } from './errors.ts';

/** Separates the name of a folder from the pid of the process that prepares it. */
export const CLAIM_MARK = '~';

/**
 * Replaces whatever is at place, except a folder, by the file or link that make() puts at the
 * name it gets. Readers see the old one or the new one, never a part. When something fails, the
 * old one stays and nothing is left beside it.
 *
 * A crash leaves the old one or the new one, and may leave `PLACE.PID.NUMBER` beside it. Nothing is
 * synced: after a power cut the file may be empty on file systems that reorder a rename.
 */
export function replace(place: string, make: (temporary: string) => void): void {
  // A fresh name each time: a leftover, or a link that somebody put there, is never written to.
  const temporary = `${place}.${process.pid}.${process.hrtime.bigint()}`;
  try {
    make(temporary);
    renameSync(temporary, place);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Replaces a file by one with this content, as replace() does. The umask applies to mode. */
export function replaceFile(file: string, data: string | Uint8Array, mode = 0o600): void {
  replace(file, (temporary) => writeFileSync(temporary, data, { mode, flag: 'wx' }));
}

/**
 * Makes a folder, mode 0700, with these files in it, mode 0600, all at once: whoever finds the
 * folder finds the files. True when it did. False when a folder with something in it is there: of
 * two callers one succeeds. An empty folder is replaced. Throws ENOENT when the parent is missing.
 *
 * A crash leaves nothing, the folder, or `FOLDER~PID`, which belongs to nobody once PID is gone.
 */
export function claimFolder(folder: string, files: Readonly<Record<string, string>>): boolean {
  const own = `${folder}${CLAIM_MARK}${process.pid}`;
  // An earlier process of this pid may have died here.
  if (attempt(['EEXIST'], () => mkdirSync(own, { mode: 0o700 }) ?? true) === undefined) {
    removeFolder(own);
    mkdirSync(own, { mode: 0o700 });
  }
  try {
    for (const [name, data] of Object.entries(files)) writeFileSync(join(own, name), data, { mode: 0o600 });
    renameSync(own, folder);
    return true;
  } catch (error) {
    removeFolder(own);
    if (['EEXIST', 'ENOTEMPTY'].includes(errno(error) ?? '')) return false;
    throw error;
  }
}

/**
 * Undoes claimFolder() for a folder with this one file in it. A folder of another owner, whose file
 * has another name, stays as it is.
 */
export function dropClaim(folder: string, name: string): void {
  attempt(['ENOENT'], () => unlinkSync(join(folder, name)));
  attempt(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(folder));
}

/** The names in a folder, in no order. None when there is no such folder. */
export function namesIn(folder: string): string[] {
  return attempt(['ENOENT'], () => readdirSync(folder)) ?? [];
}

/** The text of a file, or undefined when there is none. */
export function readIfThere(file: string): string | undefined {
  return attempt(['ENOENT'], () => readFileSync(file, 'utf8'));
}

function removeEntry(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) === 'EISDIR') removeFolder(path);
    else if (errno(error) !== 'ENOENT') throw error;
  }
}

/**
 * Removes a folder with all that is in it. The entries named in last go after all others, in that
 * order. A missing folder is not an error. When another process puts something into the folder
 * meanwhile, that stays, and the folder with it.
 *
 * Use it rather than rmSync() on the paths that every container takes: loading the recursion of
 * rmSync() takes node as long as all else that delete does.
 */
export function removeFolder(folder: string, last: readonly string[] = []): void {
  const names = namesIn(folder).filter((name) => !last.includes(name));
  for (const name of [...names, ...last]) removeEntry(join(folder, name));
  attempt(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(folder));
}
