// SPDX-License-Identifier: MIT
// How a call that failed says so: one line to --log, which engines quote as the reason, and the
// same line to standard error.
import { appendFileSync, closeSync, openSync } from 'node:fs';
import type { Caller } from '../host/caller.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { globalOption } from './arguments.ts';
import { writeAll } from './output.ts';

/**
 * Makes the file of --log. runc makes it even when nothing will be logged, and engines open it
 * afterwards. Throws USAGE when it cannot be opened. It is no error when its folder is gone: at
 * the last `delete --force` the bundle, where containerd keeps it, may have been removed.
 */
export function makeLog(log: string): void {
  try {
    closeSync(openSync(log, 'a', 0o600));
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw new VxnError('USAGE', `cannot open the log: ${messageOf(error)}`);
  }
}

function logEntry(message: string, isJson: boolean): string {
  const time = new Date().toISOString();
  return isJson
    ? JSON.stringify({ level: 'error', msg: message, time })
    : `time="${time}" level=error msg=${JSON.stringify(message)}`;
}

function appendToLog(argv: readonly string[], message: string): void {
  const log = globalOption(argv, 'log');
  if (log === undefined) return;
  try {
    const entry = logEntry(message, globalOption(argv, 'log-format') === 'json');
    appendFileSync(log, `${entry}\n`, { mode: 0o600 });
  } catch {
    // The log may be gone with the bundle. Standard error has the message as well.
  }
}

/** Reports the error of a command line that may not even parse. Gives the exit status. */
export function report(caller: Caller, argv: readonly string[], error: unknown): number {
  const isKnown = error instanceof VxnError;
  const message = isKnown ? error.line : `internal error: ${messageOf(error)}`;
  appendToLog(argv, message);
  caller.warn(message);
  if (isKnown) return error.exitCode;
  if (globalOption(argv, 'debug') !== undefined) writeAll(caller.fds[2], `${(error as Error)?.stack}\n`);
  return 1;
}
