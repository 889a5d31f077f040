// SPDX-License-Identifier: MIT
// The time line of a container: whoever passes a phase appends "<ns since boot> <phase>". Read by `timeline`.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { shortHash } from '../host/short-hash.ts';
import { CREATE_STEP } from '../xen/toolstack.ts';
import { checkId, type Places, placesOf } from './container.ts';

const KEPT = 64;

export interface Stamp {
  ns: bigint;
  phase: string;
}

/** Now, in nanoseconds since boot (CLOCK_MONOTONIC, one clock for all of Dom0). */
export function now(): bigint {
  return process.hrtime.bigint();
}

/** Appends a stamp; a time line that cannot be written is no reason to fail. */
export function stamp(places: Places, phase: string, at = now()): void {
  try {
    appendFileSync(places.timeline, `${at} ${phase}\n`, { mode: 0o600 });
  } catch {
    // Best effort.
  }
}

function keptFile(config: Config, root: string, id: string): string {
  return join(config.timelineDir, `${id.slice(0, 64)}-${shortHash(`${root}\0${id}`)}`);
}

/** Keeps the time line beyond delete, when the settings ask for it; the oldest ones go. */
export function keep(config: Config, root: string, id: string, places: Places): void {
  if (config.timelineDir === '') return;
  try {
    mkdirSync(config.timelineDir, { recursive: true, mode: 0o700 });
    copyFileSync(places.timeline, keptFile(config, root, id));
    const files = readdirSync(config.timelineDir).map((f) => join(config.timelineDir, f));
    if (files.length <= KEPT) return;
    files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
    for (const old of files.slice(0, files.length - KEPT)) rmSync(old, { force: true });
  } catch {
    // Best effort.
  }
}

/** The stamps of a text, in order of time; lines that are none are left out. */
export function parseTimeline(text: string): Stamp[] {
  const stamps = text.split('\n').flatMap((line) => {
    const m = /^(\d{1,20}) ([a-z.-]+)$/.exec(line);
    return m?.[1] === undefined || m[2] === undefined ? [] : [{ ns: BigInt(m[1]), phase: m[2] }];
  });
  return stamps.sort((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0));
}

/** What people call the way from one stamp to another. */
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

/** The phases as a table, and the whole as its last line. */
export function renderPhases(stamps: readonly Stamp[]): string {
  const phases = phasesOf(stamps);
  const [first, last] = [stamps[0], stamps.at(-1)];
  const whole = first === undefined || last === undefined ? 0 : Number(last.ns - first.ns) / 1e9;
  const row = (name: string, at: string, took: string): string =>
    `${name.padEnd(16)}${at.padStart(9)}${took.padStart(9)}\n`;
  const rows = phases.map((p) => row(p.name, p.at.toFixed(2), p.seconds.toFixed(2)));
  return row('PHASE', 'AT (s)', 'TOOK (s)') + rows.join('') + row('whole', '', whole.toFixed(2));
}

/** `timeline ID`: from the living container, else from what was kept of a deleted one. Throws INVALID_ID, DOES_NOT_EXIST. */
export function timeline(config: Config, root: string, id: string, json: boolean): string {
  checkId(id);
  const files = [placesOf(config, root, id).timeline];
  if (config.timelineDir !== '') files.push(keptFile(config, root, id));
  for (const file of files) {
    try {
      const stamps = parseTimeline(readFileSync(file, 'utf8'));
      if (!json) return renderPhases(stamps);
      const raw = stamps.map((s) => ({ ns: String(s.ns), phase: s.phase }));
      return `${JSON.stringify({ id, stamps: raw, phases: phasesOf(stamps) })}\n`;
    } catch {
      // The next one.
    }
  }
  throw new VxnError('DOES_NOT_EXIST', 'container does not exist', {
    hint: 'time lines of deleted containers are kept only when timelineDir is set in /etc/vxn/vxn.yaml',
  });
}
