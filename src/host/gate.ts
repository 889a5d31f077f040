// SPDX-License-Identifier: MIT
// Gates: FIFOs that a process holds open until something has happened, or until it ends. Waiting at
// one has no time limit. The kernel opens it when the last process that holds it ends, so only a
// living process can keep it shut; a caller that does not trust that process has to end it.
import { closeSync, constants, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { attempt } from './errors.ts';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

// Reads from it wait until no process holds the gate any more. undefined: there is no such file.
function openGate(path: string): number | undefined {
  const first = attempt(['ENOENT'], () => openSync(path, O_RDONLY | O_NONBLOCK));
  if (first === undefined) return undefined;
  // When the last writer has gone, opening for blocking reads waits for ever: be a writer
  // meanwhile.
  const writer = openSync(path, O_WRONLY | O_NONBLOCK);
  const fd = openSync(path, O_RDONLY);
  closeSync(writer);
  closeSync(first);
  return fd;
}

/**
 * Waits until no process holds the FIFO at path open any more. Returns at once when it is missing.
 */
export function waitAtGate(path: string): void {
  const fd = openGate(path);
  if (fd === undefined) return;
  const nothing = Buffer.alloc(1);
  while (readSync(fd, nothing) > 0);
  closeSync(fd);
}

/** Waits as waitAtGate() does, while signals and everything else go on. */
export async function gateOpened(path: string): Promise<void> {
  const fd = openGate(path);
  if (fd === undefined) return;
  const readOnce = promisify(read);
  const nothing = Buffer.alloc(1);
  while ((await readOnce(fd, nothing, 0, 1, null)).bytesRead > 0);
  closeSync(fd);
}
