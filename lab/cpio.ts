// SPDX-License-Identifier: MIT

/** One entry of a cpio archive. */
export type CpioEntry =
  | { type: 'file'; path: string; mode: number; data: Uint8Array }
  | { type: 'directory'; path: string; mode: number }
  | { type: 'symlink'; path: string; target: string }
  | { type: 'character'; path: string; mode: number; major: number; minor: number };

const TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000, character: 0o020000 } as const;
const NOTHING = new Uint8Array();

/**
 * Writes entries as a `newc` cpio archive, as the kernel takes it for an initramfs. root owns every
 * entry.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1));
  return Buffer.concat([...parts, ...record('TRAILER!!!', 0, 0, 1, NOTHING)]);
}

function member(entry: CpioEntry, inode: number): Uint8Array[] {
  const mode = TYPE_BITS[entry.type] | (entry.type === 'symlink' ? 0o777 : entry.mode & 0o7777);
  const links = entry.type === 'directory' ? 2 : 1;
  const device: [number, number] = entry.type === 'character' ? [entry.major, entry.minor] : [0, 0];
  return record(entry.path.replace(/^\/+/, ''), inode, mode, links, content(entry), device);
}

function content(entry: CpioEntry): Uint8Array {
  if (entry.type === 'file') return entry.data;
  return entry.type === 'symlink' ? Buffer.from(entry.target) : NOTHING;
}

function record(
  name: string,
  inode: number,
  mode: number,
  links: number,
  data: Uint8Array,
  [major, minor]: [number, number] = [0, 0],
): Uint8Array[] {
  const nameBytes = Buffer.from(`${name}\0`);
  if (data.length > 0xffffffff) throw new RangeError(`${name}: too large for a cpio archive`);
  const numbers = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, nameBytes.length, 0];
  const header = Buffer.from(`070701${numbers.map((n) => n.toString(16).padStart(8, '0')).join('')}`);
  return [header, nameBytes, padding(header.length + nameBytes.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
