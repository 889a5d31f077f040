// SPDX-License-Identifier: MIT
import { writeSync } from 'node:fs';
import { errno } from '../host/errors.ts';
import { sleepSync } from '../host/wait.ts';

const RETRY_MS = 1;

/**
 * Writes all of the data. The descriptor can be non-blocking, and its pipe full: then this waits
 * for the reader. False when nobody reads any more.
 */
export function writeAll(fd: number, data: string | Buffer): boolean {
  let rest = typeof data === 'string' ? Buffer.from(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (errno(error) !== 'EAGAIN') return false;
      sleepSync(RETRY_MS);
    }
  }
  return true;
}
