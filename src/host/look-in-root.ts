// SPDX-License-Identifier: MIT
// Looking at a bundle's rootfs as the container will see it, without being led out of it by its links.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { errno } from './errors.ts';

const LINKS_MAX = 40;

/** Whether path is folder or lies below it. */
export function within(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
}

// A path that leads through a file, or has too long a name in it, is one where nothing is.
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['ENOTDIR', 'ENAMETOOLONG'].includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * What is at path in the container whose root is `root` on this machine: links are followed, those to an absolute path from
 * the root. undefined: nothing; 'unknown': it lies in one of the folders, where something will be mounted.
 */
export function lookInRoot(
  root: string,
  path: string,
  mounted: readonly string[],
): Stats | 'unknown' | undefined {
  let at: string[] = [];
  let st: Stats | undefined = lstatSync(root);
  const rest = path.split('/').reverse();
  for (let links = 0; rest.length > 0; ) {
    const step = rest.pop() ?? '';
    if (step === '' || step === '.') continue;
    const next = step === '..' ? at.slice(0, -1) : [...at, step];
    // With the rest of the way, since a mount makes the folders that lead to it.
    const whole = `/${[...next, ...[...rest].reverse().filter((s) => s !== '' && s !== '.')].join('/')}`;
    if (mounted.some((folder) => within(whole, folder))) return 'unknown';
    st = look(join(root, ...next));
    if (st === undefined) return undefined;
    if (!st.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) return undefined;
    const target = readlinkSync(join(root, ...next));
    if (target.startsWith('/')) at = [];
    rest.push(...target.split('/').reverse());
  }
  return st;
}
