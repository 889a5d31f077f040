// SPDX-License-Identifier: MIT
// A container's /dev/shm. Some engines (podman, CRI, docker with --ipc=shareable) mount a tmpfs in Dom0 and bind it there. A copy of
// that would be read-only, and programs need to write, so the guest mounts a tmpfs of the same size.
import { statfsSync } from 'node:fs';
import { normalize } from 'node:path';
import { within } from '../host/resolve-in-root.ts';
import type { Mount } from './spec.ts';

const SHM = '/dev/shm';
const TMPFS = 0x01021994;
// What a bind mount's options say of the mount itself holds for a tmpfs as well.
const KEPT = ['ro', 'nosuid', 'nodev', 'noexec'];

/** Bytes of the tmpfs that path is on; undefined on any other file system, or without path. */
function tmpfsSize(path: string): number | undefined {
  try {
    const { type, blocks, bsize } = statfsSync(path);
    return type === TMPFS ? blocks * bsize : undefined;
  } catch {
    return undefined;
  }
}

/** The mount itself, or for an engine's own tmpfs at /dev/shm the tmpfs that the guest gets. Dom0's /dev/shm is no engine's. */
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
