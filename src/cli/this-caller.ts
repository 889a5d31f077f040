// SPDX-License-Identifier: MIT
import type { Caller } from '../host/caller.ts';
import { writeAll } from './output.ts';

const STDERR = 2;

/** The caller of a call that runs in its own process. */
export function thisCaller(): Caller {
  return {
    pid: process.pid,
    fds: [0, 1, STDERR],
    // Looked up when it is asked for: the folder may be gone, and absolute paths do not need it.
    get cwd() {
      return process.cwd();
    },
    env: process.env,
    warn(line) {
      writeAll(STDERR, `${line}\n`);
    },
    onSignal(signals, handler) {
      for (const signal of signals) process.on(signal, () => handler(signal));
    },
  };
}
