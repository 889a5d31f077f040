// SPDX-License-Identifier: MIT
// Planned files in a folder that mirrors a root.
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { attempt } from '../host/errors.ts';
import { replace } from '../host/files.ts';
import { inRoot } from '../host/resolve-in-root.ts';
import type { Planned } from './plan.ts';

/**
 * A file or link at a path. Contents are bytes as latin1, so that every file comes back as it was.
 */
export type Present =
  | { kind: 'file'; content: string; mode: number; uid: number; gid: number }
  | { kind: 'link'; link: string }
  | { kind: 'other' };

/** Looks at a place without following a link in its last part; undefined where there is nothing. */
export function present(place: string): Present | undefined {
  return attempt(['ENOENT', 'ENOTDIR'], (): Present => {
    const st = lstatSync(place);
    if (st.isSymbolicLink()) return { kind: 'link', link: readlinkSync(place) };
    if (!st.isFile()) return { kind: 'other' };
    const { mode, uid, gid } = st;
    return { kind: 'file', content: readFileSync(place, 'latin1'), mode: mode & 0o7777, uid, gid };
  });
}

/** The bytes of a text, as `present` gives them. */
export const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** The file or link that a planned file becomes. */
export function wanted(planned: Planned): Present {
  if ('link' in planned) return { kind: 'link', link: planned.link };
  return { kind: 'file', content: asBytes(planned.content), mode: planned.mode, uid: 0, gid: 0 };
}

/** Whether two are alike: content and mode, or target of the link. The owner is not compared. */
export function alike(a: Present | undefined, b: Present | undefined): boolean {
  if (a?.kind === 'file' && b?.kind === 'file') return a.content === b.content && a.mode === b.mode;
  if (a?.kind === 'link' && b?.kind === 'link') return a.link === b.link;
  return a === undefined && b === undefined;
}

/** Puts a file or a link at a place. A reader sees the old one or the new one, never a part. */
export function put(place: string, what: Exclude<Present, { kind: 'other' }>): void {
  mkdirSync(dirname(place), { recursive: true });
  replace(place, (temporary) => {
    if (what.kind === 'link') {
      symlinkSync(what.link, temporary);
      return;
    }
    writeFileSync(temporary, what.content, { encoding: 'latin1', flag: 'wx' });
    if (process.getuid?.() === 0) chownSync(temporary, what.uid, what.gid);
    // The process's umask must not decide.
    chmodSync(temporary, what.mode);
  });
}

/** Writes a planned file below a root. */
export function writePlanned(root: string, planned: Planned): void {
  const what = wanted(planned);
  if (what.kind !== 'other') put(inRoot(root, planned.path), what);
}
