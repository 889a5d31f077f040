// SPDX-License-Identifier: MIT
// Bind mounts: files and folders of the host, copied into the guest before the program starts, read-only there.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { errno, VxnError } from '../errors.ts';
import type { Mount } from '../oci/spec.ts';
import { encodeFrame, PAYLOAD_MAX, Records, Tag, Type } from './protocol.ts';

const MAX_ENTRIES = 16384;
const PAGE = 4096;

interface Entry {
  /** Where it is on the host. */
  source: string;
  /** Where it goes in the bind area: the mount's number, then the path below its source. */
  path: string;
  stat: Stats;
}

/** What the bind mounts of a container bring along. */
export class BindArea {
  private readonly entries: Entry[] = [];
  private readonly indices = new Map<Mount, number>();
  /** Bytes of memory that the area takes in the guest. */
  bytes = 0;

  /**
   * Looks at every bind mount. limit: bytes that all of them may take together.
   * Throws UNSUPPORTED for what can not be copied, INVALID_SPEC for a source that is not there.
   */
  constructor(
    mounts: readonly Mount[],
    private readonly limit: number,
  ) {
    for (const mount of mounts) {
      if (mount.type !== 'bind') continue;
      const index = this.indices.size;
      this.indices.set(mount, index);
      this.add(mount, mount.source, String(index), this.statSource(mount));
    }
  }

  /** The entry that a mount shows, or undefined when it is no bind mount. */
  indexOf(mount: Mount): number | undefined {
    return this.indices.get(mount);
  }

  private statSource(mount: Mount): Stats {
    try {
      return statSync(mount.source);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error;
      throw new VxnError(
        'INVALID_SPEC',
        `mount ${mount.destination}: source ${mount.source}: no such file or directory`,
      );
    }
  }

  private add(mount: Mount, source: string, path: string, stat: Stats): void {
    const refuse = (what: string): never => {
      throw new VxnError('UNSUPPORTED', `mount ${mount.destination}: ${what}`, {
        hint: 'see docs/limitations.md',
      });
    };
    if (stat.isSocket()) refuse(`${source} is a socket, which cannot reach into a virtual machine`);
    if (stat.isBlockDevice() || stat.isCharacterDevice()) refuse(`${source} is a device of the host`);
    this.bytes += PAGE + Math.ceil((stat.isFile() ? stat.size : 0) / PAGE) * PAGE;
    if (this.bytes > this.limit || this.entries.length >= MAX_ENTRIES) {
      refuse(
        `${mount.source} is too large: bind mounts are copied into the guest, at most ${this.limit >> 20} MiB and ${MAX_ENTRIES} files (bindLimit in /etc/vxn/vxn.yaml)`,
      );
    }
    this.entries.push({ source, path, stat });
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(source).sort()) {
      const child = join(source, name);
      this.add(mount, child, `${path}/${name}`, lstatSync(child));
    }
  }

  /** The FILE and FILE_DATA frames, file contents read as they are asked for. */
  *frames(container: number): Generator<Buffer> {
    for (const entry of this.entries) {
      const { stat } = entry;
      const records = new Records()
        .text(Tag.FilePath, entry.path)
        .u32(Tag.FileMode, stat.mode)
        .u32(Tag.FileUid, stat.uid)
        .u32(Tag.FileGid, stat.gid)
        .u64(Tag.FileMtime, BigInt(Math.max(0, Math.trunc(stat.mtimeMs / 1000))));
      if (stat.isSymbolicLink()) records.text(Tag.FileLink, readlinkSync(entry.source));
      yield encodeFrame(Type.File, container, records.bytes());
      if (stat.isFile()) yield* this.content(entry, container);
    }
  }

  // A file that grows while it is read is cut at the size that was counted.
  private *content(entry: Entry, container: number): Generator<Buffer> {
    const fd = openSync(entry.source, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      let left = fstatSync(fd).isFile() ? entry.stat.size : 0;
      const buffer = Buffer.allocUnsafe(PAYLOAD_MAX);
      while (left > 0) {
        const n = readSync(fd, buffer, 0, Math.min(left, PAYLOAD_MAX), null);
        if (n === 0) return;
        left -= n;
        yield encodeFrame(Type.FileData, container, buffer.subarray(0, n));
      }
    } finally {
      closeSync(fd);
    }
  }
}
