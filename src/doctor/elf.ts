// SPDX-License-Identifier: MIT

export type Machine = 'x86_64' | 'aarch64' | 'other';

/** The architecture of a 64-bit little-endian ELF file, or undefined when it is no such file. */
export function elfMachine(data: Buffer): Machine | undefined {
  if (data.length < 20 || data.toString('latin1', 0, 4) !== '\x7fELF' || data[4] !== 2 || data[5] !== 1)
    return undefined;
  const machine = data.readUInt16LE(18);
  return machine === 62 ? 'x86_64' : machine === 183 ? 'aarch64' : 'other';
}
