// SPDX-License-Identifier: MIT
// Paths inside a root: the rootfs of a bundle, or a system's root that is a folder here. Links are
// followed as the system in that root would follow them, so none leads out of it. The root may be
// an enemy's: a walk is bounded.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { attempt, VxnError } from './errors.ts';

/** As many as Linux follows. */
const LINKS_MAX = 40;
/** Parts of the path and of all links together. More do not fit into a path of Linux. */
const PARTS_MAX = 4096;

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/**
 * Looks at a place on the walk, given as its parts. ahead has the parts behind it, the next one
 * last. Gives the target of a link to follow, or undefined to go on, or 'stop'.
 */
type Visit = (place: readonly string[], ahead: readonly string[]) => { link: string } | undefined | 'stop';

/** Walks along a path in a root. Gives the parts of its end, or why it did not get there. */
function walk(path: string, visit: Visit): readonly string[] | 'stopped' | 'too many links' {
  const ahead = partsOf(path).reverse();
  let at: readonly string[] = [];
  let [links, parts] = [0, ahead.length];
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (parts > PARTS_MAX) return 'too many links';
    const next = part === '..' ? at.slice(0, -1) : [...at, part];
    const seen = visit(next, ahead);
    if (seen === 'stop') return 'stopped';
    // The way up leads to a folder that the walk came through, or to the root.
    if (seen === undefined || part === '..') {
      at = next;
      continue;
    }
    const target = partsOf(seen.link);
    links += 1;
    parts += target.length;
    if (links > LINKS_MAX) return 'too many links';
    if (seen.link.startsWith('/')) at = [];
    ahead.push(...target.reverse());
  }
  return at;
}

/**
 * The place on this machine of an absolute path of the system whose root is a folder here. Parts
 * that do not exist are taken as they are. A link in the last part is followed only with
 * followLast. Throws HOST when there are more than 40 links, or more than 4096 parts in all.
 */
export function inRoot(root: string, path: string, followLast = false): string {
  const end = walk(path, (place, ahead) => {
    if (ahead.length === 0 && !followLast) return undefined;
    const link = attempt(['EINVAL', 'ENOENT', 'ENOTDIR'], () => readlinkSync(join(root, ...place)));
    return link === undefined ? undefined : { link };
  });
  if (typeof end === 'string') throw new VxnError('HOST', `${path}: too many links`);
  return join(root, ...end);
}

/** Whether path is folder or lies below it. */
export function within(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
}

// Compares the whole remaining path: mounting creates missing parents.
function leadsInto(folder: readonly string[], place: readonly string[], ahead: readonly string[]): boolean {
  const partAt = (i: number): string | undefined =>
    i < place.length ? place[i] : ahead[ahead.length - 1 - (i - place.length)];
  return folder.every((part, i) => part === partAt(i));
}

// A path that leads through a file, or has too long a name in it, leads to nothing.
function look(path: string): Stats | undefined {
  return attempt(['ENOTDIR', 'ENAMETOOLONG'], () => lstatSync(path, { throwIfNoEntry: false }));
}

/**
 * Looks at path in the container whose root is a folder here. Gives undefined when there is
 * nothing, or more than 40 links or 4096 parts; 'unknown' when the path lies in one of the mounted
 * folders, where something will be mounted.
 */
export function lookInRoot(
  root: string,
  path: string,
  mounted: readonly string[],
): Stats | 'unknown' | undefined {
  const folders = mounted.map(partsOf);
  let found: Stats | 'unknown' | undefined = lstatSync(root);
  const end = walk(path, (place, ahead) => {
    if (folders.some((folder) => leadsInto(folder, place, ahead))) {
      found = 'unknown';
      return 'stop';
    }
    const at = join(root, ...place);
    found = look(at);
    if (found === undefined) return 'stop';
    return found.isSymbolicLink() ? { link: readlinkSync(at) } : undefined;
  });
  return end === 'too many links' ? undefined : found;
}
