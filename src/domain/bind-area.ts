// SPDX-License-Identifier: MIT
// Bind mounts: files and folders of the host. They are copied into the guest before the program
// starts, and are read-only there.
//
// Other processes may write to them meanwhile. So the walk through a tree goes from descriptor to
// descriptor, and only a mount's own source may be a link. Nobody can lead the copy out of the tree
// by putting a link in place of a file or folder.
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
import { encodeFrame, PAYLOAD_MAX, Records, Tag, Type } from '../channel/protocol.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import type { Mount } from '../spec/spec.ts';

const { O_RDONLY, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW } = constants;
const MAX_ENTRIES = 16384;
const PAGE = 4096;

/** A path as bytes, because names of files need not be UTF-8. */
type Path = Buffer;

interface Entry {
  /** Its name in its folder. */
  name: Path;
  stat: Stats;
  /** The entries of a folder, by name. */
  children: Entry[];
}

interface Source {
  path: Path;
  entry: Entry;
}

const join = (...parts: (Path | string)[]): Path => Buffer.concat(parts.map((p) => Buffer.from(p as string)));

/** The path of a name in an open folder. */
const inFolder = (folder: number, name: Path): Path => join(`/proc/self/fd/${folder}/`, name);

function withOpen<T>(path: Path, flags: number, use: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

// An entry that has vanished or changed its type since the count is left out of the copy.
function ifStill<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EINVAL'].includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

/** The files and folders that the bind mounts of a container copy into the guest. */
export class BindArea {
  private readonly sources: Source[] = [];
  private readonly indices = new Map<Mount, number>();
  private count = 0;
  /** Bytes of memory that the area takes in the guest. */
  bytes = 0;

  /**
   * Looks at every bind mount. limit: the bytes that all of them may take together. Throws
   * UNSUPPORTED for a file that cannot be copied, INVALID_SPEC for a source that does not exist.
   */
  constructor(
    mounts: readonly Mount[],
    private readonly limit: number,
  ) {
    for (const mount of mounts) {
      if (mount.type !== 'bind') continue;
      const index = this.indices.size;
      this.indices.set(mount, index);
      try {
        const path = Buffer.from(mount.source);
        const entry = this.look(mount, mount.source, Buffer.from(String(index)), statSync(path));
        if (entry.stat.isDirectory())
          withOpen(path, O_RDONLY | O_DIRECTORY, (fd) => this.walk(mount, mount.source, entry, fd));
        this.sources.push({ path, entry });
      } catch (error) {
        if (error instanceof VxnError) throw error;
        const why = errno(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
        throw new VxnError('INVALID_SPEC', `mount ${mount.destination}: source ${mount.source}: ${why}`);
      }
    }
  }

  /** The index of the source of a mount in the area, or undefined when it is no bind mount. */
  indexOf(mount: Mount): number | undefined {
    return this.indices.get(mount);
  }

  // shown: the path that a refusal names.
  private look(mount: Mount, shown: string, name: Path, stat: Stats): Entry {
    const refuse = (what: string): never => {
      throw new VxnError('UNSUPPORTED', `mount ${mount.destination}: ${what}`, {
        hint: 'see docs/limitations.md',
      });
    };
    if (stat.isSocket()) refuse(`${shown} is a socket, which cannot reach into a virtual machine`);
    if (stat.isBlockDevice() || stat.isCharacterDevice()) refuse(`${shown} is a device of the host`);
    this.bytes += PAGE + Math.ceil((stat.isFile() ? stat.size : 0) / PAGE) * PAGE;
    this.count += 1;
    if (this.bytes > this.limit || this.count > MAX_ENTRIES) {
      refuse(
        `${mount.source} is too large: bind mounts are copied into the guest, at most ${this.limit >> 20} MiB and ${MAX_ENTRIES} files (bindLimit in /etc/vxn/vxn.yaml)`,
      );
    }
    return { name, stat, children: [] };
  }

  private walk(mount: Mount, shown: string, folder: Entry, fd: number): void {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).sort(Buffer.compare);
    for (const name of names) {
      const path = inFolder(fd, name);
      const entry = this.look(mount, `${shown}/${name}`, name, lstatSync(path));
      folder.children.push(entry);
      if (entry.stat.isDirectory())
        withOpen(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, (child) =>
          this.walk(mount, `${shown}/${name}`, entry, child),
        );
    }
  }

  /** The FILE and FILE_DATA frames. A file is read when its frames are asked for. */
  *frames(container: number): Generator<Buffer> {
    for (const { path, entry } of this.sources) yield* copy(container, path, entry.name, entry, 0);
  }
}

/**
 * The frames of an entry and of everything below it. path: its place in the bind area. flags:
 * O_NOFOLLOW for everything but a mount's own source.
 */
function* copy(container: number, source: Path, path: Path, entry: Entry, flags: number): Generator<Buffer> {
  const { stat, children } = entry;
  const records = new Records()
    .raw(Tag.FilePath, path)
    .u32(Tag.FileMode, stat.mode)
    .u32(Tag.FileUid, stat.uid)
    .u32(Tag.FileGid, stat.gid)
    .u64(Tag.FileMtime, BigInt(Math.max(0, Math.trunc(stat.mtimeMs / 1000))));
  const frame = (): Buffer => encodeFrame(Type.File, container, records.bytes());
  if (stat.isSymbolicLink()) {
    const target = ifStill(() => readlinkSync(source, { encoding: 'buffer' }));
    if (target === undefined) return;
    records.raw(Tag.FileLink, target);
  }
  if (!stat.isFile() && !stat.isDirectory()) return yield frame();
  const kind = stat.isDirectory() ? O_DIRECTORY : 0;
  const fd = ifStill(() => openSync(source, O_RDONLY | O_NONBLOCK | kind | flags));
  if (fd === undefined) return;
  try {
    if (stat.isDirectory()) {
      yield frame();
      for (const child of children)
        yield* copy(container, inFolder(fd, child.name), join(path, '/', child.name), child, O_NOFOLLOW);
    } else if (fstatSync(fd).isFile()) {
      yield frame();
      yield* content(container, fd, stat.size);
    }
  } finally {
    closeSync(fd);
  }
}

// A file that has grown since the count is cut at the size that was counted.
function* content(container: number, fd: number, size: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(PAYLOAD_MAX);
  for (let left = size; left > 0; ) {
    const n = readSync(fd, buffer, 0, Math.min(left, PAYLOAD_MAX), null);
    if (n === 0) return;
    left -= n;
    yield encodeFrame(Type.FileData, container, buffer.subarray(0, n));
  }
}
