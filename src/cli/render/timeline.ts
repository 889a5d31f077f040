// SPDX-License-Identifier: MIT
import type { Timeline } from '../../verbs/timeline.ts';

const NS_PER_S = 1e9;

function wholeSeconds(stamps: Timeline['stamps']): number {
  const [first, last] = [stamps[0], stamps.at(-1)];
  return first === undefined || last === undefined ? 0 : Number(last.ns - first.ns) / NS_PER_S;
}

const row = (name: string, at: string, took: string): string =>
  `${name.padEnd(16)}${at.padStart(9)}${took.padStart(9)}\n`;

/** The phases as a table, and the whole time as its last line. */
export function timelineTable({ stamps, phases }: Omit<Timeline, 'id'>): string {
  const rows = phases.map((p) => row(p.name, p.at.toFixed(2), p.seconds.toFixed(2)));
  const whole = row('whole', '', wholeSeconds(stamps).toFixed(2));
  return row('PHASE', 'AT (s)', 'TOOK (s)') + rows.join('') + whole;
}

/** A time line as one line of JSON. Nanoseconds are text: they do not fit into a number. */
export function timelineJson({ id, stamps, phases }: Timeline): string {
  const raw = stamps.map(({ ns, phase }) => ({ ns: String(ns), phase }));
  return `${JSON.stringify({ id, stamps: raw, phases })}\n`;
}
