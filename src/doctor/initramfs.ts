// SPDX-License-Identifier: MIT
// Reads an initramfs: one or more cpio archives (newc), each of which may be compressed.
import { type Decompress, decompressed } from './kernel-image.ts';

export interface ArchiveFile {
  /** Type and permission bits. */
  mode: number;
  data: Buffer;
}

const HEADER = 110;
const align = (n: number): number => Math.ceil(n / 4) * 4;

/** Reads one archive at `from`; where it ends, or undefined when it is cut off or none. */
function readArchive(data: Buffer, from: number, files: Map<string, ArchiveFile>): number | undefined {
  let at = from;
  for (;;) {
    const magic = data.toString('latin1', at, at + 6);
    if (at + HEADER > data.length || (magic !== '070701' && magic !== '070702')) return undefined;
    const field = (i: number): number =>
      Number.parseInt(data.toString('latin1', at + 6 + i * 8, at + 14 + i * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const nameAt = at + HEADER;
    const bodyAt = at + align(HEADER + nameSize);
    if (!(nameSize > 0 && bodyAt + size <= data.length)) return undefined;
    const name = data.toString('utf8', nameAt, nameAt + nameSize - 1);
    at = bodyAt + align(size);
    if (name === 'TRAILER!!!') return at;
    files.set(name.replace(/^\.?\/+/, ''), { mode, data: data.subarray(bodyAt, bodyAt + size) });
  }
}

/**
 * The files of an initramfs by path without a leading slash, or why they cannot be read.
 * `compressed` means that only the tool for it is missing here.
 */
export function readInitramfs(
  file: Buffer,
  decompress: Decompress,
): Map<string, ArchiveFile> | 'compressed' | 'damaged' {
  const files = new Map<string, ArchiveFile>();
  let rest = file;
  while (rest.length > 0) {
    const data = decompressed(rest, decompress);
    if (data === undefined) return 'compressed';
    const end = readArchive(data, 0, files);
    if (end === undefined) return 'damaged';
    // The length of a compressed archive is not known, so the next one cannot be found. The archive
    // that counts comes last.
    if (data !== rest) break;
    let next = end;
    while (next < data.length && data[next] === 0) next++;
    rest = data.subarray(next);
  }
  return files.size === 0 ? 'damaged' : files;
}
