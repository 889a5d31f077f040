// SPDX-License-Identifier: MIT
import { messageOf, VxnError } from '../host/errors.ts';
import { replaceFile } from '../host/files.ts';

/** Writes a pid as engines read it: digits without a line's end, there as a whole or not at all. Throws USAGE. */
export function writePidFile(file: string, pid: number): void {
  try {
    replaceFile(file, String(pid));
  } catch (error) {
    throw new VxnError('USAGE', `cannot write the pid file: ${messageOf(error)}`, {
      hint: 'is --pid-file right?',
    });
  }
}
