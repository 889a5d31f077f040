// SPDX-License-Identifier: MIT
// The objects of native/ to look into. The Makefile says which objects exist and how they are made.
// They go to a folder of their own, and are built without optimisation, so that no call is left
// out.
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';

const NATIVE = 'native';
const BUILD = 'native/build/order';

/** A way to build native/: with the libraries of Xen, or with their stand-ins. */
export interface Variant {
  name: string;
  variables: readonly string[];
  /** A header that some machines lack, and the Debian package that has it. */
  needs?: { header: string; package: string };
}

export const VARIANTS: readonly Variant[] = [
  { name: 'fake', variables: ['XEN=0'] },
  { name: 'xen', variables: ['XEN=1'], needs: { header: 'xenctrl.h', package: 'libxen-dev' } },
];

/** Programs, and the sources of their objects. Both are paths below root. */
export type Programs = ReadonlyMap<string, readonly string[]>;

function make(root: string, variant: Variant, args: readonly string[]): string {
  const build = join(root, BUILD, variant.name);
  const common = [
    '-s',
    '-C',
    join(root, NATIVE),
    `BUILD=${build}`,
    'CFLAGS=-O0',
    'WERROR=',
    ...variant.variables,
  ];
  const { status, stdout, stderr, error } = spawnSync('make', [...common, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    // The caller may be a make with options of its own.
    env: { ...process.env, MAKEFLAGS: '', MFLAGS: '' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`native does not build (${variant.name}):\n${stderr}`);
  return stdout;
}

/** True when this machine has everything that a variant needs. */
export function canBuild({ needs }: Variant): boolean {
  if (needs === undefined) return true;
  const input = `#include <${needs.header}>\n`;
  return spawnSync('cc', ['-E', '-xc', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

/** The path of the object of a source. */
export function objectOf(root: string, variant: Variant, source: string): string {
  return join(root, BUILD, variant.name, relative(NATIVE, source).replace(/c$/, 'o'));
}

/**
 * The programs that the Makefile links from more than one object of ours, according to its own
 * commands.
 */
export function programsOf(root: string, variant: Variant): Programs {
  const build = join(root, BUILD, variant.name);
  const programs = new Map<string, string[]>();
  for (const line of make(root, variant, ['-n', '-B']).split('\n')) {
    const words = line.split(/\s+/);
    const output = words[words.indexOf('-o') + 1] ?? '';
    const objects = words.filter((word) => word.startsWith(`${build}/`) && word.endsWith('.o'));
    if (output.endsWith('.o') || objects.length === 0) continue;
    programs.set(
      relative(build, output),
      objects.map((object) => `${NATIVE}/${relative(build, object).replace(/o$/, 'c')}`),
    );
  }
  return programs;
}

/** Brings the objects of all programs up to date. Throws the compiler's message when that fails. */
export function buildObjects(root: string, variant: Variant, programs: Programs): void {
  const sources = [...new Set([...programs.values()].flat())];
  make(root, variant, ['-j4', ...sources.map((source) => objectOf(root, variant, source))]);
}
