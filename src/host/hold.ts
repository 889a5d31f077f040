// SPDX-License-Identifier: MIT
// Excluding others. A hold is a folder with one file in it, named after the owner:
//
//   taking a free one   renames a prepared folder to the hold's name: of two callers one succeeds
//   taking over         renames the dead owner's file to one's own: it fails unless that very owner
//                       is still in there, so nobody can take a hold from a living owner
//   giving back         removes one's own file, then the empty folder, which counts as free
//
// A process owns a hold only while it lives: a call that is killed stands in nobody's way.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, VxnError } from './errors.ts';
import { claimFolder, dropClaim, namesIn } from './files.ts';
import { identify, isAlive, type ProcessId } from './process-id.ts';
import { until } from './wait.ts';

const FIRST_LOOK_MS = 1;
const LOOK_MS = 50;

/** The identity of this process. Throws HOST. */
export function self(): ProcessId {
  const id = identify(process.pid);
  if (id === undefined)
    throw new VxnError('HOST', 'cannot read /proc/self/stat', { hint: 'is /proc mounted?' });
  return id;
}

const nameOf = ({ pid, startTime }: ProcessId): string => `${pid}-${startTime}`;

function processOf(name: string): ProcessId | undefined {
  const [, pid, startTime] = /^(\d+)-(\d+)$/.exec(name) ?? [];
  return pid === undefined || startTime === undefined ? undefined : { pid: Number(pid), startTime };
}

const livingOf = (names: readonly string[]): ProcessId | undefined =>
  names.flatMap((name) => processOf(name) ?? []).find(isAlive);

/** The living process that has the hold, or undefined when none has. */
export function holderOf(hold: string): ProcessId | undefined {
  return livingOf(namesIn(hold));
}

// Fails when another process was faster, or the owner gave the hold back.
const takeOver = (theirs: string, own: string): boolean =>
  attempt(['ENOENT'], () => renameSync(theirs, own) ?? true) === true;

/**
 * Takes the hold for this process, unless a living process has it. Gives that process, this one
 * included; undefined when it is ours now. Throws ENOENT when the folder around the hold is
 * missing.
 */
export function tryHold(hold: string): ProcessId | undefined {
  const own = nameOf(self());
  // It ends: each further round means that another process took the hold or gave it back meanwhile.
  for (;;) {
    const names = namesIn(hold);
    const holder = livingOf(names);
    if (holder !== undefined) return holder;
    const [dead] = names;
    const isOurs =
      dead === undefined ? claimFolder(hold, { [own]: '' }) : takeOver(join(hold, dead), join(hold, own));
    if (isOurs) return undefined;
  }
}

/**
 * Takes the hold as tryHold() does, and waits for it as long as waitMs. Gives the process that
 * still has it then; undefined when it is ours. Throws ENOENT when the folder around the hold is
 * missing or goes meanwhile.
 */
export async function hold(place: string, { waitMs }: { waitMs: number }): Promise<ProcessId | undefined> {
  let holder: ProcessId | undefined;
  const isOurs = (): boolean => {
    holder = tryHold(place);
    return holder === undefined;
  };
  await until(isOurs, { timeoutMs: waitMs, firstMs: FIRST_LOOK_MS, maxMs: LOOK_MS });
  return holder;
}

/** Gives back a hold of this process. A hold that is not ours stays as it is. */
export function release(hold: string): void {
  dropClaim(hold, nameOf(self()));
}
