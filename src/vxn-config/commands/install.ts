// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { inRoot } from '../../host/resolve-in-root.ts';
import { type Change, computeChanges } from '../install/changes.ts';
import { type Entry, FOLDER, hashOf, type State, Store } from '../install/state.ts';
import { applyUndo, type Undo, undo } from '../install/undo.ts';
import { put } from '../tree.ts';
import { type Context, planInput, type TargetOptions } from './context.ts';
import { plannedRuntime } from './generate.ts';

export interface InstallOptions extends TargetOptions {
  root: string;
  runtime?: string;
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const DOES_SOMETHING: readonly Change['action'][] = ['created', 'replaced', 'edited', 'updated'];

function entryOf(store: Store, change: Change, known: Entry | undefined): Entry {
  const { path, kind, before, next } = change;
  const entry: Entry = { path, kind, action: 'created', left: hashOf(next) };
  if (before === undefined) return entry;
  entry.action = change.action === 'edited' || known?.action === 'edited' ? 'edited' : 'replaced';
  if (before.kind === 'link') entry.before = { link: before.link };
  if (before.kind === 'file') {
    const { mode, uid, gid } = before;
    entry.before = { mode, uid, gid };
    entry.backup = store.backup(path, before.content);
  }
  return entry;
}

/** The folders above a path that are not there yet, links followed, the topmost first. */
function missingFolders(root: string, path: string): string[] {
  const missing: string[] = [];
  let folder = `/${relative(root, inRoot(root, dirname(path), true))}`;
  for (; folder !== '/' && !existsSync(join(root, folder)); folder = dirname(folder)) missing.unshift(folder);
  return missing;
}

/** Undoes the files that an earlier target had and this one has not. */
function stale(store: Store, state: State | undefined, changes: readonly Change[], force: boolean): Undo[] {
  const paths = new Set(changes.map(({ path }) => path));
  const entries = (state?.entries ?? []).filter(({ path }) => !paths.has(path));
  return entries.map((entry) => undo(store, entry, force));
}

function apply(
  store: Store,
  before: State | undefined,
  header: Pick<State, 'version' | 'target'>,
  changes: readonly Change[],
  undone: readonly Undo[],
): void {
  const entries = new Map(before?.entries.map((e) => [e.path, e]));
  const folders = new Set(before?.folders);
  for (const folder of missingFolders(store.root, `${FOLDER}/backup`)) folders.add(folder);
  for (const change of changes) {
    store.setAside(change.path, change.aside);
    entries.set(change.path, entryOf(store, change, entries.get(change.path)));
    for (const folder of missingFolders(store.root, change.path)) folders.add(folder);
  }
  for (const one of undone) {
    applyUndo(store, one);
    // A kept file can still be undone later.
    if (one.action !== 'kept') entries.delete(one.path);
  }
  store.save({ format: 1, ...header, entries: [...entries.values()], folders: [...folders].sort() });
  for (const folder of [...folders].sort()) mkdirSync(inRoot(store.root, folder, true), { recursive: true });
  for (const { path, next } of changes) if (next.kind !== 'other') put(inRoot(store.root, path), next);
}

const line = ({ action, path, reason }: Change | Undo): string =>
  `${action.padEnd(9)}  ${path}${reason === undefined ? '' : `: ${reason}`}`;

const RESTART: Readonly<Record<string, string>> = {
  'containerd-config-vxn.toml': 'containerd',
  'containerd-imports.toml': 'containerd',
  'daemon.json': 'docker',
  'k3s-config.toml.tmpl': 'k3s',
  'k3s-config.yaml': 'k3s',
};

/** The engines that have to read their configuration again. */
function restarts(changes: readonly Change[]): string[] {
  return [...new Set(changes.flatMap(({ kind }) => RESTART[kind] ?? []))].sort();
}

/**
 * Puts the files of a target into a live system, or into an image's root. Throws DescriptionError
 * before anything is touched.
 */
export function install(context: Context, options: InstallOptions): void {
  const root = resolve(context.cwd, options.root);
  const store = new Store(root);
  const state = store.load();
  const input = planInput(context, options);
  const extra =
    options.runtime === undefined ? [] : [plannedRuntime(input, resolve(context.cwd, options.runtime))];
  const force = options.force === true;
  const { changes, notes } = computeChanges(input, store, { state, extra, force });
  const todo = changes.filter(({ action }) => DOES_SOMETHING.includes(action));
  const { name } = input.target;
  const undone = stale(store, state, changes, force);
  const isDone = todo.length === 0 && undone.every(({ action }) => action === 'kept');
  if (!isDone && options.dryRun !== true) {
    apply(store, state, { version: context.version, target: name }, todo, undone);
  }
  const restart = restarts(todo);
  if (options.json === true) {
    const list = [...changes, ...undone].map(({ path, action, reason }) => ({ path, action, reason }));
    context.print(`${JSON.stringify({ target: name, changes: list, notes, restart }, null, 2)}\n`);
    return;
  }
  const shown = [...changes, ...undone].filter(({ action }) => action !== 'unchanged').map(line);
  if (shown.length === 0) shown.push('nothing to do: all of it is there');
  for (const note of notes) shown.push(`note       ${note}`);
  if (restart.length > 0) shown.push(`then       restart ${restart.join(', ')}`);
  context.print(`${shown.join('\n')}\n`);
}
