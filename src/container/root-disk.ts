// SPDX-License-Identifier: MIT
// The container's root as an ext4 image. Its content comes from the bundle's rootfs, which is only
// read.
import { closeSync, ftruncateSync, lstatSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { messageOf, VxnError } from '../host/errors.ts';
import { describeStatus, type Step } from '../host/step.ts';

const BLOCK = 4096;

export interface Content {
  /** Bytes of the files in whole blocks, without holes. */
  bytes: number;
  inodes: number;
}

/** Measures a tree without following links. Throws DISK when something cannot be read. */
export function measure(root: string): Content {
  let bytes = 0;
  let inodes = 0;
  const seen = new Set<string>();
  // A path is kept as bytes, because names of files need not be UTF-8.
  const visit = (path: Buffer): void => {
    const st = lstatSync(path);
    const key = `${st.dev}:${st.ino}`;
    if (st.nlink > 1 && !st.isDirectory()) {
      if (seen.has(key)) return;
      seen.add(key);
    }
    inodes += 1;
    // A hole takes no blocks. A small file that the host stores in its inode takes a block here.
    bytes += Math.min(Math.max(st.blocks * 512, BLOCK), Math.ceil(st.size / BLOCK) * BLOCK + BLOCK);
    if (!st.isDirectory()) return;
    for (const name of readdirSync(path, { encoding: 'buffer' }))
      visit(Buffer.concat([path, Buffer.from('/'), name]));
  };
  try {
    visit(Buffer.from(root));
  } catch (error) {
    throw new VxnError('DISK', `cannot read the rootfs: ${messageOf(error)}`, { cause: error });
  }
  return { bytes, inodes };
}

/**
 * The size in bytes and the number of inodes of an image with this content. free: bytes that stay
 * free.
 */
export function sizeOf(content: Content, free: number): { bytes: number; inodes: number } {
  // There is a spare inode per 16 KiB of free space, as mke2fs has it by default.
  const inodes = content.inodes + Math.ceil(free / 16384) + 64;
  // An inode has 256 bytes. Block maps, bitmaps and descriptors take less than 3 %.
  const used = content.bytes + inodes * 256;
  const bytes = Math.ceil((used * 1.03 + free + (4 << 20)) / (1 << 20)) * (1 << 20);
  return { bytes, inodes };
}

// mke2fs.conf, the usual source of ext4's defaults, is not read. So all features are listed.
// Without ext_attr mke2fs silently drops extended attributes, and with them file capabilities.
const FEATURES =
  'none,ext_attr,dir_index,filetype,sparse_super,large_file,huge_file,extent,flex_bg,dir_nlink,extra_isize';

/**
 * The arguments of mke2fs(8). There is no journal and no checksum, because the disk lives no longer
 * than the container.
 */
export function mke2fsArgs(image: string, rootfs: string, inodes: number): string[] {
  const extended = 'lazy_itable_init=1,nodiscard,root_owner=0:0';
  return [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-b',
    String(BLOCK),
    '-I',
    '256',
    '-m',
    '0',
    '-O',
    FEATURES,
    '-E',
    extended,
    '-N',
    String(inodes),
    '-d',
    rootfs,
    image,
  ];
}

// mke2fs -d copies the content of the root directory, but not its own mode and owner.
function rootAttributeSteps({ mode, uid, gid }: RootDisk, image: string): Step[] {
  if (mode === 0o755 && uid === 0 && gid === 0) return [];
  const requests = `${image}.debugfs`;
  const fields = { mode: `0${(0o040000 | mode).toString(8)}`, uid, gid };
  const lines = Object.entries(fields).map(([name, value]) => `set_inode_field / ${name} ${value}\n`);
  writeFileSync(requests, lines.join(''), { mode: 0o600 });
  return [
    {
      name: 'disk-root',
      argv: ['debugfs', '-w', '-f', requests, image],
      failure: (status) =>
        new VxnError(
          'DISK',
          `cannot set the owner of the root directory: debugfs failed (${describeStatus(status)})`,
        ),
    },
  ];
}

function mke2fsFailure(mke2fs: string, status: number, stderr: string): VxnError {
  if (status === 127 && stderr.includes('command not found')) {
    return new VxnError('DISK', `${mke2fs}: command not found`, { hint: 'install e2fsprogs' });
  }
  const why = stderr.trim().split('\n').slice(-2).join('; ') || describeStatus(status);
  return new VxnError('DISK', `cannot build the root disk: ${why}`);
}

/** The image of a container's root, decided before it is made. */
export interface RootDisk {
  rootfs: string;
  bytes: number;
  inodes: number;
  /** Mode, owner and group of the root directory itself. */
  mode: number;
  uid: number;
  gid: number;
}

/** Plans an image for the content of rootfs. free: bytes that stay free. Throws DISK. */
export function planRootDisk(rootfs: string, free: number): RootDisk {
  const { mode, uid, gid } = statSync(rootfs);
  return { rootfs, ...sizeOf(measure(rootfs), free), mode: mode & 0o7777, uid, gid };
}

/**
 * Makes an empty image at file. Gives the steps that fill it with everything below rootfs: owners,
 * modes, links, devices, xattrs, times and holes. mke2fs: path or name of the program. Throws DISK.
 */
export function makeRootDisk(mke2fs: string, disk: RootDisk, file: string): Step[] {
  const fd = openSync(file, 'w', 0o600);
  try {
    ftruncateSync(fd, disk.bytes);
  } catch (error) {
    throw new VxnError('DISK', `cannot make an image of ${disk.bytes} bytes: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    closeSync(fd);
  }
  return [
    {
      name: 'disk',
      argv: [mke2fs, ...mke2fsArgs(file, disk.rootfs, disk.inodes)],
      failure: (status, stderr) => mke2fsFailure(mke2fs, status, stderr),
    },
    ...rootAttributeSteps(disk, file),
  ];
}
