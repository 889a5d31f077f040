// SPDX-License-Identifier: MIT
// A file that says which call works on a container just now. It counts only while that process lives, so a call that is killed stands
// in nobody's way.
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { errno, VxnError } from './errors.ts';
import { identify, isAlive, type ProcessId } from './process-id.ts';

/** Who this process is. Throws HOST. */
export function self(): ProcessId {
  const id = identify(process.pid);
  if (id === undefined)
    throw new VxnError('HOST', 'cannot read /proc/self/stat', { hint: 'is /proc mounted?' });
  return id;
}

function holderOf(file: string): ProcessId | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessId;
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Takes the file for this process. Gives the living process that has it already; undefined: it is ours. Of two callers one gets
 * it; what a dead one has left is taken over. Throws ENOENT when its folder is not there.
 */
export function hold(file: string): ProcessId | undefined {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(self()), { mode: 0o600 });
  try {
    linkSync(own, file);
    unlinkSync(own);
    return undefined;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
  const holder = holderOf(file);
  if (holder !== undefined && isAlive(holder)) {
    unlinkSync(own);
    return holder;
  }
  renameSync(own, file);
  return undefined;
}
