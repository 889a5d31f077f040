// SPDX-License-Identifier: MIT
import { writeSync } from 'node:fs';
import type { Caller } from '../host/caller.ts';

const STDERR = 2;

/** The caller of a call that runs in its own process. */
export function thisCaller(): Caller {
  return {
    pid: process.pid,
    fds: [0, 1, STDERR],
    cwd: process.cwd(),
    env: process.env,
    warn(line) {
      try {
        writeSync(STDERR, `${line}\n`);
      } catch {
        // Nobody reads it.
      }
    },
    onSignal(signals, handler) {
      for (const signal of signals) process.on(signal, () => handler(signal));
    },
  };
}
