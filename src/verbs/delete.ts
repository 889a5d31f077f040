// SPDX-License-Identifier: MIT
import { rmdirSync, rmSync } from 'node:fs';
import {
  checkId,
  find,
  type Places,
  placesOf,
  removeClaims,
  type Stored,
  statusOf,
} from '../container/container.ts';
import { removeContainer, removeFiles } from '../container/remove.ts';
import { keep, stamp } from '../container/timeline.ts';
import { fullStatus } from '../domain/paused.ts';
import { errno, VxnError } from '../host/errors.ts';
import { hold } from '../host/hold.ts';
import { isAlive, type ProcessId } from '../host/process-id.ts';
import type { Context } from './context.ts';

function holdOrGone(places: Places): ProcessId | 'ours' | 'gone' {
  try {
    return hold(places.deleting) ?? 'ours';
  } catch (error) {
    if (errno(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/**
 * Makes this call the only one that removes the container, or the folder without one. False when there is nothing to remove any more:
 * another call has done it, and what is there now is a later container.
 */
async function becomeRemover(places: Places, stored: Stored | undefined): Promise<boolean> {
  for (;;) {
    const other = holdOrGone(places);
    if (other === 'gone') return false;
    if (other === 'ours') break;
    while (isAlive(other)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (find(places)?.uuid === stored?.uuid) return true;
  rmSync(places.deleting, { force: true });
  try {
    rmdirSync(places.run);
  } catch {
    // There is another container in it.
  }
  return false;
}

/**
 * `delete`: removes a stopped or merely created container with its domain, disks and files; force ends a running
 * one first. Throws DOES_NOT_EXIST (not with force), WRONG_STATE, TOOLSTACK.
 */
export async function deleteContainer(context: Context, id: string, force: boolean): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = find(places);
  if (stored === undefined) {
    // What calls that were killed in the middle have left; no domain belongs to it.
    removeClaims(places);
    if (await becomeRemover(places, stored)) removeFiles(places);
    if (force) return;
    throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  }
  const status = statusOf(places, stored);
  if (!force && (status === 'running' || status === 'creating')) {
    const shown = fullStatus(places, stored);
    throw new VxnError('WRONG_STATE', `cannot delete container ${id} that is not stopped: ${shown}`);
  }
  if (!(await becomeRemover(places, stored))) return;
  stamp(places, 'delete.begin');
  await removeContainer(context, places, stored, async () => {
    // Before the files, so that a delete that is killed here runs them again rather than never.
    if (stored.hooks !== undefined) await (await import('../container/hooks.ts')).poststop(places, stored);
    stamp(places, 'delete.end');
    keep(context.config, context.root, id, places);
  });
}
