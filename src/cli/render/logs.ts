// SPDX-License-Identifier: MIT
import type { CallerFds } from '../../host/caller.ts';
import type { Output } from '../../verbs/logs.ts';
import { writeAll } from '../output.ts';

/** Writes each piece of the program's output to the caller's stream of the same name. */
export function writeLogs(pieces: readonly Output[], [, stdout, stderr]: CallerFds): void {
  for (const { stream, data } of pieces) writeAll(stream === 'stdout' ? stdout : stderr, data);
}
