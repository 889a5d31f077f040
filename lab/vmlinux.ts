// SPDX-License-Identifier: MIT
import { execaSync } from 'execa';

/** The host's decompression tools, by the magic number at the start of a kernel's payload. */
const TOOLS: readonly { magic: readonly number[]; command: readonly [string, ...string[]] }[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], command: ['zstd', '-dcq'] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], command: ['xz', '-dcq', '--single-stream'] },
  { magic: [0x1f, 0x8b], command: ['gzip', '-dcq'] },
];

const ELF = Buffer.from('\x7fELF', 'latin1');

/**
 * The compressed kernel inside an x86 bzImage. Its place is in the setup header
 * (Documentation/arch/x86/boot.rst of Linux). The protected-mode code follows the setup sectors,
 * and the payload's offset counts from there.
 */
export function bzImagePayload(image: Buffer): Buffer {
  if (image.length < 0x250 || image.toString('latin1', 0x202, 0x206) !== 'HdrS') {
    throw new Error('not a bzImage: no setup header');
  }
  if (image.readUInt16LE(0x206) < 0x208)
    throw new Error('the bzImage is too old to tell where its payload is');
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const length = image.readUInt32LE(0x24c);
  if (start + length > image.length) throw new Error('the bzImage is truncated');
  return image.subarray(start, start + length);
}

/** Decompresses a kernel's payload into the vmlinux ELF. */
export function decompressPayload(payload: Buffer): Buffer {
  const tool = TOOLS.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
  if (!tool && !payload.subarray(0, 4).equals(ELF))
    throw new Error('the kernel is compressed in an unknown way');
  if (!tool) return payload;
  const [file, ...args] = tool.command;
  // The build appends the unpacked size. So a tool may complain of trailing bytes after it has done
  // its work.
  const { stdout } = execaSync(file, args, {
    input: payload,
    encoding: 'buffer',
    maxBuffer: 1 << 30,
    reject: false,
  });
  const kernel = Buffer.from(stdout);
  if (!kernel.subarray(0, 4).equals(ELF)) throw new Error(`${file} did not unpack a kernel`);
  return kernel;
}

/**
 * The uncompressed ELF file out of a bzImage. With it the builder of a PV guest need not unpack at
 * every start.
 */
export function extractVmlinux(image: Buffer): Buffer {
  return decompressPayload(bzImagePayload(image));
}
