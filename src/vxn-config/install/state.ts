// SPDX-License-Identifier: MIT
// What `install` has done below a root, so that `uninstall` can undo it. Written before the files themselves: a call may die
// at any instant.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errno, VxnError } from '../../errors.ts';
import { inRoot } from '../in-root.ts';
import { asBytes, type Present, present, put } from '../tree.ts';

/** Fixed: uninstall has no target that could say otherwise. */
export const FOLDER = '/var/lib/vxn-config';
const FORMAT = 1;

export interface Entry {
  path: string;
  /** created: there was nothing. replaced: there was something else. edited: our part was added to a file of others. */
  action: 'created' | 'replaced' | 'edited';
  kind: string;
  /** Hash of what we left there. */
  left: string;
  /** Name of the backup of what was there. */
  backup?: string;
  /** What was there, but for a file's content. */
  before?: { mode: number; uid: number; gid: number } | { link: string };
}

export interface State {
  format: typeof FORMAT;
  version: string;
  target: string;
  entries: Entry[];
  /** Folders that were made, the deepest last. */
  folders: string[];
}

/** Names what is at a place: equal exactly where content and mode, or the link's target, are. */
export function hashOf(what: Present | undefined): string {
  if (what === undefined) return 'nothing';
  if (what.kind === 'other') return 'other';
  const text = what.kind === 'link' ? `link ${what.link}` : `file ${what.mode.toString(8)} ${what.content}`;
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

export class Store {
  readonly folder: string;

  constructor(readonly root: string) {
    this.folder = inRoot(root, FOLDER, true);
  }

  private get file(): string {
    return join(this.folder, 'installed.json');
  }

  /** The state, or undefined when nothing is installed. Throws when it cannot be understood. */
  load(): State | undefined {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      if (errno(error) === 'ENOENT') return undefined;
      throw error;
    }
    const state = JSON.parse(text) as State;
    if (state.format === FORMAT) return state;
    throw new VxnError('UNSUPPORTED', `${this.file} is of another vxn-config`, {
      hint: 'use the version that wrote it',
    });
  }

  save(state: State): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const content = asBytes(`${JSON.stringify(state, null, 2)}\n`);
    put(this.file, { kind: 'file', content, mode: 0o600, uid: 0, gid: 0 });
  }

  /** Keeps a file's content under a name that is made from its path. */
  backup(path: string, content: string): string {
    const name = `${path.slice(1).replaceAll('/', '%')}.${createHash('sha256').update(content, 'latin1').digest('hex').slice(0, 12)}`;
    mkdirSync(join(this.folder, 'backup'), { recursive: true, mode: 0o700 });
    put(join(this.folder, 'backup', name), { kind: 'file', content, mode: 0o600, uid: 0, gid: 0 });
    return name;
  }

  /** What was at an entry's path before us. */
  before(entry: Entry): Present | undefined {
    const { before, backup } = entry;
    if (before === undefined) return undefined;
    if ('link' in before) return { kind: 'link', link: before.link };
    const saved = present(join(this.folder, 'backup', backup ?? ''));
    if (saved?.kind !== 'file')
      throw new VxnError('HOST', `${entry.path}: its backup is gone from ${this.folder}/backup`);
    return { kind: 'file', content: saved.content, ...before };
  }

  /** Forgets everything. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
