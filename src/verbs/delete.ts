// SPDX-License-Identifier: MIT
import { rmdirSync, rmSync } from 'node:fs';
import { type Container, checkId, type Places, placesOf } from '../container/container.ts';
import { lazy } from '../container/lazy.ts';
import { removeContainer, removeFiles } from '../container/remove.ts';
import { fullStatus, statusOf } from '../container/status.ts';
import { find, removeClaims } from '../container/store.ts';
import { keep, stamp } from '../container/timeline.ts';
import type { Context } from '../domain/context.ts';
import { errno, VxnError } from '../host/errors.ts';
import { hold } from '../host/hold.ts';
import { isAlive, type ProcessId } from '../host/process-id.ts';

function holdOrGone(places: Places): ProcessId | 'ours' | 'gone' {
  try {
    return hold(places.deleting) ?? 'ours';
  } catch (error) {
    if (errno(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/**
 * Makes this call the only one that removes the container, or a folder without one. False when
 * another call has removed it already. A container that is there now is a later one of that id.
 */
async function becomeRemover(places: Places, container: Container | undefined): Promise<boolean> {
  for (;;) {
    const other = holdOrGone(places);
    if (other === 'gone') return false;
    if (other === 'ours') break;
    while (isAlive(other)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (find(places)?.domain === container?.domain) return true;
  rmSync(places.deleting, { force: true });
  try {
    rmdirSync(places.run);
  } catch {
    // There is another container in it.
  }
  return false;
}

/**
 * `delete`: removes a stopped or merely created container with its domain, disks and files; force
 * ends a running one first. Throws DOES_NOT_EXIST (not with force), WRONG_STATE, TOOLSTACK, HOST.
 */
export async function deleteContainer(context: Context, id: string, force: boolean): Promise<void> {
  const { config, root, caller } = context;
  checkId(id);
  const places = placesOf(config, root, id);
  const container = find(places);
  if (container === undefined) {
    // Calls that were killed in the middle have left files. No domain belongs to them.
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
  await removeContainer(context, places, container, async () => {
    // Before the files, so that a delete that is killed here runs them again rather than never.
    if (container.hooks !== undefined) await (await lazy.hooks()).poststop(places, container, caller);
    stamp(places, 'delete.end');
    keep(config, root, id, places);
  });
}
