// SPDX-License-Identifier: MIT
// A compiler for each machine: the host's gcc, with the C library and Xen's libraries of the lab's
// Dom0. Its programs run in that Dom0.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeSysroot, sysrootOptions } from '../../lab/sysroot.ts';

export interface Machine {
  name: 'qemux86-64' | 'qemuarm64';
  /** TARGET_ARCH. */
  arch: string;
  debian: string;
  triplet: string;
  /** The prefix of the compiler's name. '' for the host's own. */
  prefix: string;
}

export const MACHINES: readonly Machine[] = [
  { name: 'qemux86-64', arch: 'x86_64', debian: 'amd64', triplet: 'x86_64-linux-gnu', prefix: '' },
  {
    name: 'qemuarm64',
    arch: 'aarch64',
    debian: 'arm64',
    triplet: 'aarch64-linux-gnu',
    prefix: 'aarch64-linux-gnu-',
  },
];

/** Makes the machine's sysroot below folder, if it is missing. Gives its path. */
export async function ensureSysroot(folder: string, machine: Machine): Promise<string> {
  const sysroot = join(folder, machine.debian);
  if (existsSync(sysroot)) return sysroot;
  const work = `${sysroot}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await makeSysroot(work, machine.debian);
  renameSync(work, sysroot);
  return sysroot;
}

const tools = [
  'gcc',
  'g++',
  'cpp',
  'ld',
  'as',
  'ar',
  'nm',
  'ranlib',
  'strip',
  'objcopy',
  'objdump',
  'readelf',
];

/** The options of openembedded-core that the host's gcc is too old for. */
function unknownOptions({ prefix }: Machine): string[] {
  return ['-fcanon-prefix-map'].filter(
    (option) =>
      spawnSync(`${prefix}gcc`, [option, '-c', '-x', 'c', '/dev/null', '-o', '/dev/null'], {
        stdio: 'ignore',
      }).status !== 0,
  );
}

/**
 * The names that recipes use for the target's compiler and its tools: today's, and the ones up to
 * scarthgap.
 */
export function compilerNames({ arch, prefix }: Machine): string[] {
  return [
    ...['cross-cc', 'cross-c++', 'cross-binutils', 'compilerlibs'].map((name) => `virtual/${name}`),
    ...['gcc', 'g++', 'binutils', 'compilerlibs'].map((name) => `virtual/${prefix}${name}`),
    ...['gcc', 'binutils'].map((name) => `${name}-cross-${arch}`),
  ];
}

/** The lines of local.conf that make this the target's compiler. */
export function compilerConfig(machine: Machine, sysroot: string): string[] {
  const { prefix, triplet } = machine;
  const provided = [...new Set(compilerNames(machine))].map((name) => name.replaceAll('+', '\\\\+'));
  return [
    `ASSUME_PROVIDED += "${provided.join(' ')}"`,
    'PREFERRED_PROVIDER_virtual/libc = "stand-in-libc"',
    `TARGET_PREFIX:class-target = "${prefix}"`,
    `TOOLCHAIN_OPTIONS:class-target = " ${sysrootOptions(sysroot, triplet)}"`,
    ...(prefix === '' ? [] : tools.map((tool) => `HOSTTOOLS_NONFATAL += "${prefix}${tool}"`)),
    ...unknownOptions(machine).map((option) => `DEBUG_PREFIX_MAP:remove = "${option}"`),
  ];
}

/** The shared libraries of the C library in a sysroot. */
export function libcFiles({ triplet }: Machine, sysroot: string): string[] {
  const folder = join(sysroot, 'usr/lib', triplet);
  return readdirSync(folder)
    .filter((f) => /^(?:lib(?:c|m|pthread|rt|dl|util)\.so\.\d+|ld-linux-.*\.so\.\d+)$/.test(f))
    .map((f) => join(folder, f));
}
