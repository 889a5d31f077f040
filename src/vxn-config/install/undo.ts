// SPDX-License-Identifier: MIT
import { rmSync } from 'node:fs';
import { inRoot } from '../in-root.ts';
import { type Present, present, put } from '../tree.ts';
import { strip } from './changes.ts';
import { type Entry, hashOf, type Store } from './state.ts';

export interface Undo {
  path: string;
  action: 'removed' | 'restored' | 'edited' | 'gone' | 'kept';
  reason?: string;
  /** What shall be there; undefined for nothing. */
  next?: Present | undefined;
}

/** What brings the path of an entry back to what it was. What was changed since is kept. */
export function undo(store: Store, entry: Entry): Undo {
  const { path } = entry;
  const now = present(inRoot(store.root, path));
  if (now === undefined) {
    return entry.before === undefined
      ? { path, action: 'gone' }
      : { path, action: 'restored', next: store.before(entry) };
  }
  if (hashOf(now) === entry.left) {
    if (entry.before === undefined) return { path, action: 'removed' };
    return { path, action: 'restored', next: store.before(entry) };
  }
  // A call of install that died between its notes and its files.
  if (entry.before !== undefined && hashOf(now) === hashOf(store.before(entry)))
    return { path, action: 'gone' };
  if ((entry.action === 'edited' || entry.kind === 'daemon.json') && now.kind === 'file') {
    return { path, action: 'edited', next: { ...now, content: strip(entry.kind, now.content) } };
  }
  return { path, action: 'kept', reason: 'it was changed since it was installed' };
}

/** Carries it out. */
export function applyUndo(store: Store, { path, action, next }: Undo): void {
  const at = inRoot(store.root, path);
  if (action === 'removed') rmSync(at);
  if (next !== undefined && next.kind !== 'other') put(at, next);
}
