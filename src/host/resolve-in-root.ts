// SPDX-License-Identifier: MIT
import { readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { errno } from './errors.ts';

const MOST_LINKS = 40;

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (['EINVAL', 'ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * The place of an absolute path of a target whose root is a folder here: links are followed as the target itself would, so an
 * absolute link leads to a place below the root. A link in the last part is followed too when followLast says so.
 */
export function inRoot(root: string, path: string, followLast = false): string {
  let links = 0;
  let done = '/';
  const rest = path.split('/').filter((part) => part !== '' && part !== '.');
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      done = posix.dirname(done);
      continue;
    }
    const next = posix.join(done, part);
    const link = rest.length > 0 || followLast ? linkAt(join(root, next)) : undefined;
    if (link === undefined) {
      done = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error(`${path}: too many links`);
    if (link.startsWith('/')) done = '/';
    rest.unshift(...link.split('/').filter((p) => p !== '' && p !== '.'));
  }
  return join(root, done);
}
