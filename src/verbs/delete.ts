// SPDX-License-Identifier: MIT
import { rmdirSync, unlinkSync } from 'node:fs';
import { type Container, checkId, type Places, placesOf } from '../container/container.ts';
import { lazy } from '../container/lazy.ts';
import { removeContainer, removeFiles } from '../container/remove.ts';
import { fullStatus, statusOf } from '../container/status.ts';
import { find, removeClaims } from '../container/store.ts';
import { keep, stamp } from '../container/timeline.ts';
import type { Context } from '../domain/context.ts';
import { attempt, errno, VxnError } from '../host/errors.ts';
import { hold, release } from '../host/hold.ts';
import type { ProcessId } from '../host/process-id.ts';

// Another call has this long to remove a container. It may wait for xl and for stray programs.
const OTHER_MS = 600_000;

// Gives undefined when the hold is ours, the other process when it is not, and 'gone' when the
// folder is gone.
async function holdForDelete(places: Places): Promise<ProcessId | 'gone' | undefined> {
  try {
    return await hold(places.deleting, { waitMs: OTHER_MS });
  } catch (error) {
    if (errno(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/**
 * Makes this call the only one that removes the container, or a folder without a container. Gives
 * false when another call has removed it. A container that exists then is a later one with the same
 * id. Throws HOST when the other call takes ten minutes.
 */
async function becomeRemover(places: Places, container: Container | undefined): Promise<boolean> {
  // Earlier builds of vxn held with a file.
  if (container?.legacy !== undefined) attempt(['ENOENT', 'EISDIR'], () => unlinkSync(places.deleting));
  const other = await holdForDelete(places);
  if (other === 'gone') return false;
  if (other !== undefined) {
    throw new VxnError('HOST', `another delete, process ${other.pid}, is removing this container`, {
      hint: 'if it hangs, kill it and delete again',
    });
  }
  if (find(places)?.domain === container?.domain) return true;
  release(places.deleting);
  // This fails when there is another container in the folder.
  attempt(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(places.run));
  return false;
}

/**
 * `delete`: removes a stopped or merely created container with its domain, disks and files. With
 * force it ends a running one first. Throws DOES_NOT_EXIST (not with force), WRONG_STATE,
 * TOOLSTACK, HOST.
 */
export async function deleteContainer(context: Context, id: string, force: boolean): Promise<void> {
  const { config, root, caller } = context;
  checkId(id);
  const places = placesOf(config, root, id);
  const container = find(places);
  if (container === undefined) {
    // Killed calls may have left files. No domain belongs to them.
    removeClaims(places);
    if (await becomeRemover(places, container)) removeFiles(places);
    if (force) return;
    throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  }
  const status = statusOf(places, container);
  if (!force && (status === 'running' || status === 'creating')) {
    const shown = fullStatus(config, places, container);
    throw new VxnError('WRONG_STATE', `cannot delete container ${id} that is not stopped: ${shown}`);
  }
  if (!(await becomeRemover(places, container))) return;
  stamp(places, 'delete.begin');
  try {
    await removeContainer(context, places, container, async () => {
      // The hooks come before the files go: a delete that is killed here runs them again rather
      // than never.
      if (container.hooks !== undefined) await (await lazy.hooks()).poststop(places, container, caller);
      stamp(places, 'delete.end');
      keep(config, root, id, places);
    });
  } catch (error) {
    release(places.deleting);
    throw error;
  }
}
