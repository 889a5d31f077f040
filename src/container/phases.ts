// SPDX-License-Identifier: MIT
// Reads a time line: its stamps, and the phases between them.
import { CREATE_STEP } from '../xen/toolstack.ts';

/** A moment of a container's life. */
export interface Stamp {
  /** Nanoseconds since boot. */
  ns: bigint;
  phase: string;
}

/** The stamps of a text, in order of time. Lines that hold no stamp are left out. */
export function parseTimeline(text: string): Stamp[] {
  const stamps = text.split('\n').flatMap((line) => {
    const m = /^(\d{1,20}) ([a-z.-]+)$/.exec(line);
    return m?.[1] === undefined || m[2] === undefined ? [] : [{ ns: BigInt(m[1]), phase: m[2] }];
  });
  return stamps.sort((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0));
}

/** Each phase that people know by name, and the stamps at its two ends. */
const PHASES: readonly (readonly [name: string, from: string, to: string])[] = [
  ['image disk', 'disk.begin', 'disk.end'],
  ['xl create', `${CREATE_STEP}.begin`, `${CREATE_STEP}.end`],
  ['guest kernel', 'guest.kernel', 'guest.agent'],
  ['agent ready', 'guest.agent', 'agent.ready'],
  ['program start', 'start.begin', 'program.start'],
  ['program', 'program.start', 'program.exit'],
  ['exit', 'program.exit', 'monitor.exit'],
  ['clean-up', 'monitor.exit', 'delete.end'],
];

export interface Phase {
  name: string;
  /** Seconds from the first stamp. */
  at: number;
  seconds: number;
}

/** The phases that the stamps cover, in order of time. */
export function phasesOf(stamps: readonly Stamp[]): Phase[] {
  const first = stamps[0];
  if (first === undefined) return [];
  const at = (phase: string): bigint | undefined => stamps.find((s) => s.phase === phase)?.ns;
  const seconds = (ns: bigint): number => Number(ns) / 1e9;
  return PHASES.flatMap(([name, from, to]) => {
    const [begin, end] = [at(from), at(to)];
    if (begin === undefined || end === undefined) return [];
    return [{ name, at: seconds(begin - first.ns), seconds: seconds(end - begin) }];
  });
}
