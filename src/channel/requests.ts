// SPDX-License-Identifier: MIT
// What the runtime tells a monitor and waits for: FIFOs, because node's net module costs a call more than all of this.
import { closeSync, constants, openSync, read, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { errno } from '../host/errors.ts';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

function attempt<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (codes.includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Hands a frame of at most 4096 bytes to the monitor that reads the FIFO at path. False when there is none, or when it
 * has let so many pile up that it cannot be alive.
 */
export function request(path: string, frame: Buffer): boolean {
  const fd = attempt(['ENOENT', 'ENXIO'], () => openSync(path, O_WRONLY | O_NONBLOCK));
  if (fd === undefined) return false;
  try {
    return attempt(['EAGAIN', 'EPIPE'], () => writeSync(fd, frame)) !== undefined;
  } finally {
    closeSync(fd);
  }
}

// Reads of it wait until no process holds it open any more. undefined: there is no such file.
function openGate(path: string): number | undefined {
  const first = attempt(['ENOENT'], () => openSync(path, O_RDONLY | O_NONBLOCK));
  if (first === undefined) return undefined;
  // Opening for blocking reads would wait for a writer for ever when the last one has gone: so be one meanwhile.
  const writer = openSync(path, O_WRONLY | O_NONBLOCK);
  const fd = openSync(path, O_RDONLY);
  closeSync(writer);
  closeSync(first);
  return fd;
}

/** Waits until no process holds the FIFO at path open any more; returns at once when there is no such file. */
export function waitAtGate(path: string): void {
  const fd = openGate(path);
  if (fd === undefined) return;
  const nothing = Buffer.alloc(1);
  while (readSync(fd, nothing) > 0);
  closeSync(fd);
}

/** As waitAtGate(), while signals and all else go on. */
export async function gateOpened(path: string): Promise<void> {
  const fd = openGate(path);
  if (fd === undefined) return;
  const readOnce = promisify(read);
  const nothing = Buffer.alloc(1);
  while ((await readOnce(fd, nothing, 0, 1, null)).bytesRead > 0);
  closeSync(fd);
}
