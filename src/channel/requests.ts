// SPDX-License-Identifier: MIT
// Requests to a monitor. They go through a FIFO, because loading node's net module takes longer
// than all else that a call does.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { attempt } from '../host/errors.ts';

const { O_NONBLOCK, O_WRONLY } = constants;

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
