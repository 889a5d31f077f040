// SPDX-License-Identifier: MIT
// One change of a container at a time.
import { errno, VxnError } from './errors.ts';
import { hold, release } from './hold.ts';

const WAIT_MS = 60_000;

async function takeLock(file: string): Promise<void> {
  try {
    if ((await hold(file, { waitMs: WAIT_MS })) === undefined) return;
  } catch (error) {
    // Its folder is the container's, and went while we waited.
    if (errno(error) === 'ENOENT') throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
    throw error;
  }
  throw new VxnError('HOST', 'another vxn-oci-runtime command is changing this container', {
    hint: 'try again',
  });
}

/**
 * Calls action while this process has the lock at file, and gives its result. The lock of a process
 * that is killed is free. Throws HOST when another one has it for a minute, DOES_NOT_EXIST when the
 * container is gone, and whatever action throws.
 */
export async function withLock<T>(file: string, action: () => Promise<T>): Promise<T> {
  await takeLock(file);
  try {
    return await action();
  } finally {
    release(file);
  }
}
