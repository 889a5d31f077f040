// SPDX-License-Identifier: MIT
import { messageOf, VxnError } from '../host/errors.ts';
import { replaceFile } from '../host/files.ts';

/**
 * Writes a pid as engines read it: digits without a newline. The file is complete at once. Throws
 * USAGE.
 */
export function writePidFile(file: string, pid: number): void {
  try {
    replaceFile(file, String(pid));
  } catch (error) {
    throw new VxnError('USAGE', `cannot write the pid file: ${messageOf(error)}`, {
      hint: 'is --pid-file right?',
    });
  }
}
