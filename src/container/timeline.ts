// SPDX-License-Identifier: MIT
// Writes the time line of a container. Each process that reaches a phase appends "NANOSECONDS
// PHASE".
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { shortHash } from '../host/short-hash.ts';
import type { Places } from './container.ts';

const KEPT = 64;

/** Nanoseconds since boot (CLOCK_MONOTONIC, one clock for all of Dom0). */
export function now(): bigint {
  return process.hrtime.bigint();
}

/** Appends a stamp. A time line that cannot be written is no reason to fail. */
export function stamp(places: Places, phase: string, at = now()): void {
  try {
    appendFileSync(places.timeline, `${at} ${phase}\n`, { mode: 0o600 });
  } catch {
    // Best effort.
  }
}

/** The file that keeps the time line of a deleted container. */
export function keptFile(config: Config, root: string, id: string): string {
  return join(config.timelineDir, `${id.slice(0, 64)}-${shortHash(`${root}\0${id}`)}`);
}

/**
 * Keeps the time line beyond delete, when the settings ask for it. At most 64 are kept. The oldest
 * ones go first.
 */
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
