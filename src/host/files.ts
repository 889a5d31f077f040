// SPDX-License-Identifier: MIT
import { readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errno } from './errors.ts';

/** Replaces a file by one of mode 0600. A reader sees the old content or the new, never a part. */
export function replaceFile(file: string, data: string | Buffer): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, data, { mode: 0o600 });
  renameSync(temporary, file);
}

/** The names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

// Our own folders hold files. Only for anything else rmSync's recursion is loaded: loading it
// takes node as long as removing all files does.
function removeEntry(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Removes a folder and its content; no such folder is no error. The files that `last` names go
 * after all others, in this order. What another call puts into it meanwhile stays.
 */
export function removeFolder(folder: string, last: readonly string[] = []): void {
  try {
    const names = readdirSync(folder).filter((name) => !last.includes(name));
    for (const name of [...names, ...last]) removeEntry(join(folder, name));
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errno(error) ?? '')) throw error;
  }
}
