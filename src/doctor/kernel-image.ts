// SPDX-License-Identifier: MIT
// Reads a kernel file: its form, architecture and release, and the kinds of Xen guests that it can
// be.
import { gunzipSync } from 'node:zlib';
import { elfMachine, type Machine } from './elf.ts';

export interface KernelFacts {
  format: 'ELF' | 'bzImage' | 'Image';
  machine: Machine;
  /** Undefined when the file does not say. */
  release: string | undefined;
  /** undefined: the kernel inside is compressed in a way that cannot be undone here. */
  pv: boolean | undefined;
  pvh: boolean | undefined;
  /** Whether the front end of Xen's block devices is part of the kernel itself. */
  blockFrontEnd: boolean | undefined;
}

/**
 * Undoes a compression by its name (`xz`, `zstd`, `lz4`, `lzma`). Gives undefined when that cannot
 * be done.
 */
export type Decompress = (name: string, data: Buffer) => Buffer | undefined;

const MAGICS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
  ['lzma', [0x5d, 0x00, 0x00]],
];

/** How data is compressed, by its first bytes. */
export function compressionOf(data: Buffer): string | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, i) => data[i] === byte))?.[0];
}

/** Data itself, or what is inside when it is compressed; undefined when that cannot be seen. */
export function decompressed(data: Buffer, decompress: Decompress): Buffer | undefined {
  const name = compressionOf(data);
  if (name === undefined) return data;
  if (name !== 'gzip') return decompress(name, data);
  try {
    return gunzipSync(data);
  } catch {
    return undefined;
  }
}

const ENTRY = 1;
const PHYS32_ENTRY = 18;

/** Types of the notes that an ELF file has for Xen (xen/include/public/elfnote.h). */
function xenNotes(elf: Buffer): Set<number> {
  const types = new Set<number>();
  const phoff = Number(elf.readBigUInt64LE(32));
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  for (let i = 0; i < count; i++) {
    const header = phoff + i * size;
    if (header + 56 > elf.length || elf.readUInt32LE(header) !== 4) continue;
    let at = Number(elf.readBigUInt64LE(header + 8));
    const end = Math.min(elf.length, at + Number(elf.readBigUInt64LE(header + 32)));
    while (at + 12 <= end) {
      const [name, description] = [elf.readUInt32LE(at), elf.readUInt32LE(at + 4)];
      if (name === 4 && elf.toString('latin1', at + 12, at + 15) === 'Xen')
        types.add(elf.readUInt32LE(at + 8));
      at += 12 + Math.ceil(name / 4) * 4 + Math.ceil(description / 4) * 4;
    }
  }
  return types;
}

const RELEASE = /^[0-9][\x21-\x7e]{0,63}/;

function releaseIn(data: Buffer): string | undefined {
  const banner = 'Linux version ';
  const at = data.indexOf(banner);
  if (at < 0) return undefined;
  return RELEASE.exec(data.toString('latin1', at + banner.length, at + banner.length + 64))?.[0];
}

function readElf(elf: Buffer): KernelFacts | undefined {
  const machine = elfMachine(elf);
  if (machine === undefined || elf.length < 64) return undefined;
  const notes = xenNotes(elf);
  return {
    format: 'ELF',
    machine,
    release: releaseIn(elf),
    pv: notes.has(ENTRY),
    pvh: notes.has(PHYS32_ENTRY),
    blockFrontEnd: elf.includes('blkfront'),
  };
}

// Documentation/arch/x86/boot.rst of Linux.
function readBzImage(data: Buffer, decompress: Decompress): KernelFacts | undefined {
  if (data.length < 0x260 || data.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined;
  const versionAt = data.readUInt16LE(0x20e) + 0x200;
  const release = RELEASE.exec(data.toString('latin1', versionAt, versionAt + 64))?.[0];
  const payloadAt = ((data[0x1f1] || 4) + 1) * 512 + data.readUInt32LE(0x248);
  const payload = data.subarray(payloadAt, payloadAt + data.readUInt32LE(0x24c));
  const inside = decompressed(payload, decompress);
  const elf = inside === undefined ? undefined : readElf(inside);
  return {
    format: 'bzImage',
    machine: 'x86_64',
    release: release ?? elf?.release,
    pv: elf?.pv,
    pvh: elf?.pvh,
    blockFrontEnd: elf?.blockFrontEnd,
  };
}

// Documentation/arch/arm64/booting.rst of Linux.
function readArmImage(data: Buffer): KernelFacts | undefined {
  if (data.length < 64 || data.toString('latin1', 56, 60) !== 'ARM\x64') return undefined;
  return {
    format: 'Image',
    machine: 'aarch64',
    release: releaseIn(data),
    pv: false,
    pvh: true,
    blockFrontEnd: data.includes('blkfront'),
  };
}

/** The facts about a kernel's file, or undefined when Xen cannot boot it. */
export function readKernel(file: Buffer, decompress: Decompress): KernelFacts | undefined {
  const data = compressionOf(file) === 'gzip' ? decompressed(file, decompress) : file;
  if (data === undefined) return undefined;
  return readElf(data) ?? readBzImage(data, decompress) ?? readArmImage(data);
}
