// SPDX-License-Identifier: MIT
// One change of a container at a time. The kernel gives the lock back when its holder dies.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { errno, VxnError } from './errors.ts';

const WAIT_MS = 60_000;

/**
 * Calls action with the lock at file held. Throws HOST when somebody else holds it for a minute, or flock(1) is missing.
 */
export async function withLock<T>(file: string, action: () => Promise<T>): Promise<T> {
  const fd = openSync(file, 'a', 0o600);
  try {
    // node has no flock(2). A lock belongs to the open file, which is the same one in flock(1) and here.
    const { status, error } = spawnSync('flock', ['3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      timeout: WAIT_MS,
    });
    if (errno(error) === 'ENOENT')
      throw new VxnError('HOST', 'flock: command not found', { hint: 'install util-linux or busybox' });
    if (status !== 0) throw new VxnError('HOST', 'another call changes the container', { hint: 'try again' });
    return await action();
  } finally {
    closeSync(fd);
  }
}
