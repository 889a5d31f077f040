// SPDX-License-Identifier: MIT
// The record of `install` below a root, by which `uninstall` undoes it. It is written before the
// files themselves, since a call may die at any instant.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VxnError } from '../../host/errors.ts';
import { readIfThere } from '../../host/files.ts';
import { inRoot } from '../../host/resolve-in-root.ts';
import { asBytes, type Present, present, put } from '../tree.ts';

/** Fixed: uninstall has no target that could say otherwise. */
export const FOLDER = '/var/lib/vxn-config';
/** Files that --force took from their places. They outlive `uninstall`: somebody may want them. */
const ASIDE = `${FOLDER}/replaced`;
const FORMAT = 1;

export interface Entry {
  path: string;
  /**
   * created: there was nothing. replaced: there was something else. edited: our part was added to a
   * file of others.
   */
  action: 'created' | 'replaced' | 'edited';
  kind: string;
  /** Hash of what we left there. */
  left: string;
  /** Name of the backup of what was there. */
  backup?: string;
  /** The file or link that was there, without a file's content. */
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

/** A name for a content that was at a path. */
function nameOf(path: string, content: string): string {
  const hash = createHash('sha256').update(content, 'latin1').digest('hex').slice(0, 12);
  return `${path.slice(1).replaceAll('/', '%')}.${hash}`;
}

/** The stored state of an installation, below a root. */
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
    const text = readIfThere(this.file);
    if (text === undefined) return undefined;
    const state = JSON.parse(text) as State;
    if (state.format === FORMAT) return state;
    throw new VxnError('UNSUPPORTED', `${this.file} is of another vxn-config`, {
      hint: 'use the version that wrote it',
    });
  }

  /** Saves a state; backups that are not of its entries go. */
  save(state: State): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const content = asBytes(`${JSON.stringify(state, null, 2)}\n`);
    put(this.file, { kind: 'file', content, mode: 0o600, uid: 0, gid: 0 });
    const backups = join(this.folder, 'backup');
    mkdirSync(backups, { recursive: true, mode: 0o700 });
    const used = new Set(state.entries.map((entry) => entry.backup));
    for (const name of readdirSync(backups)) if (!used.has(name)) rmSync(join(backups, name));
  }

  /** Keeps a file's content under a name that is made from its path. */
  backup(path: string, content: string): string {
    const name = nameOf(path, content);
    mkdirSync(join(this.folder, 'backup'), { recursive: true, mode: 0o700 });
    put(join(this.folder, 'backup', name), { kind: 'file', content, mode: 0o600, uid: 0, gid: 0 });
    return name;
  }

  /** The file or link at an entry's path before us. Throws HOST when its backup is gone. */
  before(entry: Entry): Present | undefined {
    const { before, backup } = entry;
    if (before === undefined) return undefined;
    if ('link' in before) return { kind: 'link', link: before.link };
    const saved = present(join(this.folder, 'backup', backup ?? ''));
    if (saved?.kind !== 'file')
      throw new VxnError('HOST', `${entry.path}: its backup is gone from ${this.folder}/backup`);
    return { kind: 'file', content: saved.content, ...before };
  }

  /** Says what was at an entry's path before us. */
  describeBefore({ before, backup }: Entry): string {
    if (before === undefined) return 'nothing was there before';
    if ('link' in before) return `before, it was a link to ${before.link}`;
    return `what was there before is ${FOLDER}/backup/${backup}`;
  }

  /** Says where `setAside` keeps the file at a path. */
  describeAside(path: string, now: Present): string {
    if (now.kind === 'file') return `what was there is ${ASIDE}/${nameOf(path, now.content)} now`;
    return `it was a link to ${now.kind === 'link' ? now.link : ''}`;
  }

  /** Keeps the content of a file that --force takes from its place. */
  setAside(path: string, now: Present | undefined): void {
    if (now?.kind !== 'file') return;
    const folder = inRoot(this.root, ASIDE, true);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    put(join(folder, nameOf(path, now.content)), now);
  }

  /** Forgets everything, but for what was set aside. */
  remove(): void {
    rmSync(this.file, { force: true });
    rmSync(join(this.folder, 'backup'), { recursive: true, force: true });
  }
}
