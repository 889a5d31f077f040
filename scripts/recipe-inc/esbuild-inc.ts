// SPDX-License-Identifier: MIT
// The checksums of esbuild's executables, and the version that its recipe must have.
import { type Lock, lockEntry, sha512 } from './lock.ts';
import { GENERATED } from './npm-inc.ts';

/** Kinds of build hosts in the names of esbuild's packages. */
const CPUS = ['x64', 'arm64'];

/** The recipe's file name. */
export function esbuildRecipe(lock: Lock): string {
  return `esbuild-native_${lockEntry(lock, 'node_modules/esbuild').version}.bb`;
}

/** The text of the file. Throws when an executable has another version than esbuild itself. */
export function esbuildInc(lock: Lock): string {
  const { version } = lockEntry(lock, 'node_modules/esbuild');
  const sums = CPUS.map((cpu) => {
    const folder = `node_modules/@esbuild/linux-${cpu}`;
    if (lockEntry(lock, folder).version !== version)
      throw new Error(`${folder} is not of version ${version}`);
    return `SRC_URI[${cpu}.sha512sum] = "${sha512(lock, folder)}"`;
  });
  return `${[...GENERATED, ...sums].join('\n')}\n`;
}
