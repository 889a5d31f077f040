// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';

/**
 * A process that cannot be mistaken for a later one of the same pid. startTime is in clock ticks
 * since boot.
 */
export interface ProcessId {
  pid: number;
  startTime: string;
}

/** proc(5): the state and start time of a process, or undefined when there is none. */
function readStat(pid: number): { state: string; startTime: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command's name, in brackets, may itself hold brackets and spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

/** The identity of a living process, or undefined. */
export function identify(pid: number): ProcessId | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

/** True while that very process exists and is no zombie. */
export function isAlive(id: ProcessId): boolean {
  const stat = readStat(id.pid);
  return stat !== undefined && stat.startTime === id.startTime && !'ZXx'.includes(stat.state);
}
