// SPDX-License-Identifier: MIT
import { readSync } from 'node:fs';
import { errno } from '../host/errors.ts';
import { sleepSync } from '../host/wait.ts';

const RETRY_MS = 10;

// The descriptor can be non-blocking, and have nothing to read for now.
function readSome(fd: number, buffer: Buffer, have: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, have, buffer.length - have, null);
    } catch (error) {
      if (errno(error) !== 'EAGAIN') throw error;
      sleepSync(RETRY_MS);
    }
  }
}

/** Everything up to the end of the input; undefined when that is more than max bytes. */
export function readAll(fd: number, max: number): Buffer | undefined {
  const buffer = Buffer.alloc(max + 1);
  let have = 0;
  for (let n = 1; n > 0 && have < buffer.length; have += n) n = readSome(fd, buffer, have);
  return have > max ? undefined : buffer.subarray(0, have);
}
