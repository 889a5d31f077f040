// SPDX-License-Identifier: MIT
import { rmSync } from 'node:fs';
import { inRoot } from '../../host/resolve-in-root.ts';
import { type Present, present, put } from '../tree.ts';
import { strip } from './changes.ts';
import { type Entry, hashOf, type Store } from './state.ts';

export interface Undo {
  path: string;
  action: 'removed' | 'restored' | 'edited' | 'gone' | 'kept';
  reason?: string;
  /** The file or link that shall be there; undefined for nothing. */
  next?: Present | undefined;
  /** --force takes it from its place, and keeps it. */
  aside?: Present;
}

/** Shows that our part is still in a file of others. */
const OURS = /io\.containerd\.vxn\.v2|vxn-oci-runtime/;

/**
 * Plans how the path of an entry goes back to what it was. A file that was changed since is kept,
 * unless force is set.
 */
export function undo(store: Store, entry: Entry, force: boolean): Undo {
  const { path } = entry;
  const now = present(inRoot(store.root, path));
  const back = (): Undo =>
    entry.before === undefined
      ? { path, action: now === undefined ? 'gone' : 'removed' }
      : { path, action: 'restored', next: store.before(entry) };
  if (now === undefined || hashOf(now) === entry.left) return back();
  // install died after it had written its state, and before it had written this file.
  if (entry.before !== undefined && hashOf(now) === hashOf(store.before(entry)))
    return { path, action: 'gone' };
  if ((entry.action === 'edited' || entry.kind === 'daemon.json') && now.kind === 'file') {
    const content = strip(entry.kind, now.content);
    if (content !== now.content) return { path, action: 'edited', next: { ...now, content } };
    if (!OURS.test(content)) return { path, action: 'gone' };
  }
  if (now.kind === 'other') return { path, action: 'kept', reason: 'it is neither a file nor a link' };
  if (force) return { ...back(), reason: store.describeAside(path, now), aside: now };
  const does = entry.before === undefined ? 'removes it' : 'brings that back';
  const reason = `it was changed since it was installed; ${store.describeBefore(entry)}; --force ${does}`;
  return { path, action: 'kept', reason };
}

/** Carries it out. */
export function applyUndo(store: Store, { path, action, next, aside }: Undo): void {
  store.setAside(path, aside);
  const at = inRoot(store.root, path);
  if (action === 'removed') rmSync(at);
  if (next !== undefined && next.kind !== 'other') put(at, next);
}
