// SPDX-License-Identifier: MIT
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/**
 * The paths of the named kernel modules and their dependencies under `root`, in the order in which
 * they must be loaded.
 */
export async function moduleFiles(
  root: string,
  version: string,
  names: readonly string[],
): Promise<string[]> {
  const files = new Set<string>();
  for (const name of names) {
    // modprobe runs for each module, because it takes further words as parameters of the first
    // module.
    const { stdout } = await execa('modprobe', ['-d', root, '-S', version, '--show-depends', name], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    for (const file of insmodPaths(stdout)) files.add(file);
  }
  return [...files];
}

/** The files in the output of `modprobe --show-depends`. A built-in module has none. */
export function insmodPaths(output: string): string[] {
  return [...output.matchAll(/^insmod (\S+)/gm)].map((match) => match[1] ?? '');
}

/** A module's plain name: `/a/b/xen-blkfront.ko.xz` is `xen-blkfront`. */
export function moduleName(file: string): string {
  return path.basename(file).replace(/\.ko(\.\w+)?$/, '');
}

/** The content of a module file, decompressed. */
export async function readModule(file: string): Promise<Buffer> {
  const tool = { '.xz': 'xz', '.zst': 'zstd', '.gz': 'gzip' }[path.extname(file)];
  if (!tool) return readFile(file);
  const { stdout } = await execa(tool, ['-dc', file], { encoding: 'buffer' });
  return Buffer.from(stdout);
}
