// SPDX-License-Identifier: MIT
import { rmdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { VxnError } from '../../host/errors.ts';
import { inRoot } from '../../host/resolve-in-root.ts';
import { Store } from '../install/state.ts';
import { applyUndo, undo } from '../install/undo.ts';
import type { Context } from './context.ts';

export interface UninstallOptions {
  root: string;
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/**
 * Undoes `install`: removes what it created, restores what it replaced or edited. A file that was
 * changed since is kept, together with its backup, so that another call can undo it.
 */
export function uninstall(context: Context, options: UninstallOptions): void {
  const store = new Store(resolve(context.cwd, options.root));
  const state = store.load();
  if (state === undefined) {
    throw new VxnError('DOES_NOT_EXIST', `vxn-config has installed nothing below ${store.root}`);
  }
  const undone = state.entries.map((entry) => undo(store, entry, options.force === true));
  if (options.dryRun !== true) {
    for (const one of undone) applyUndo(store, one);
    const kept = new Set(undone.filter(({ action }) => action === 'kept').map(({ path }) => path));
    if (kept.size === 0) store.remove();
    else store.save({ ...state, entries: state.entries.filter(({ path }) => kept.has(path)) });
    for (const folder of [...state.folders].reverse()) {
      try {
        rmdirSync(inRoot(store.root, folder, true));
      } catch {
        // Others have put something into it, or have removed it.
      }
    }
  }
  if (options.json === true) {
    const changes = undone.map(({ path, action, reason }) => ({ path, action, reason }));
    context.print(`${JSON.stringify({ changes }, null, 2)}\n`);
    return;
  }
  const lines = undone.map(
    (u) => `${u.action.padEnd(8)}  ${u.path}${u.reason === undefined ? '' : `: ${u.reason}`}\n`,
  );
  context.print(lines.join(''));
}
