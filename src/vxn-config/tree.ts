// SPDX-License-Identifier: MIT
// Planned files in a folder that mirrors a root.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errno } from '../errors.ts';
import type { Planned } from './plan.ts';

/** Writes a file or a link by rename: whoever reads meanwhile sees the old one or the new one. */
export function writePlanned(root: string, planned: Planned): void {
  const path = join(root, planned.path);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    if ('link' in planned) {
      symlinkSync(planned.link, temporary);
    } else {
      writeFileSync(temporary, planned.content, { flag: 'wx' });
      // The process's umask must not decide.
      chmodSync(temporary, planned.mode);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What is at a path: a file with its mode, a link, something else, or nothing. */
export type Present = { content: string; mode: number } | { link: string } | { other: string } | undefined;

/** Looks at a path without following a link in its last part. */
export function present(path: string): Present {
  try {
    const st = lstatSync(path);
    if (st.isSymbolicLink()) return { link: readlinkSync(path) };
    if (st.isFile()) return { content: readFileSync(path, 'latin1'), mode: st.mode & 0o7777 };
    return { other: st.isDirectory() ? 'a folder' : 'a special file' };
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
