// SPDX-License-Identifier: MIT
// A container's /dev/shm. Some engines (podman, CRI, docker with --ipc=shareable) mount a tmpfs in
// Dom0 and bind it there. A copy of it would be read-only, but programs need to write. So the guest
// mounts a tmpfs of the same size.
import { statfsSync } from 'node:fs';
import { normalize } from 'node:path';
import { within } from '../host/resolve-in-root.ts';
import type { Mount } from './spec.ts';

const SHM = '/dev/shm';
const TMPFS = 0x01021994;
// These options of a bind mount apply to the guest's tmpfs as well.
const KEPT = ['ro', 'nosuid', 'nodev', 'noexec'];

/**
 * Size in bytes of the tmpfs that path is on. undefined when path does not exist or is on another
 * file system.
 */
function tmpfsSize(path: string): number | undefined {
  try {
    const { type, blocks, bsize } = statfsSync(path);
    return type === TMPFS ? blocks * bsize : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Turns an engine's bind mount of a tmpfs at /dev/shm into a tmpfs of the guest. Gives every other
 * mount back as it is. Dom0's own /dev/shm is not the tmpfs of an engine.
 */
export function withOwnShm(mount: Mount): Mount {
  if (mount.type !== 'bind' || normalize(`${mount.destination}/.`) !== SHM || within(mount.source, SHM))
    return mount;
  const size = tmpfsSize(mount.source);
  if (size === undefined) return mount;
  const options = [...mount.options.filter((option) => KEPT.includes(option)), 'mode=1777'];
  return {
    destination: SHM,
    type: 'tmpfs',
    source: 'shm',
    options: size > 0 ? [...options, `size=${size}`] : options,
  };
}
