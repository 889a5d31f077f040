// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { VxnError } from '../errors.ts';
import { checkId, find, placesOf, statusOf } from './container.ts';
import type { Context } from './context.ts';
import { fullStatus } from './paused.ts';
import { removeContainer, removeFiles } from './remove.ts';
import { keep, stamp } from './timeline.ts';

/**
 * `delete`: removes a stopped or merely created container with its domain, disks and files; force ends a running
 * one first. Throws DOES_NOT_EXIST (not with force), WRONG_STATE, TOOLSTACK.
 */
export async function deleteContainer(context: Context, id: string, force: boolean): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = find(places);
  if (stored === undefined) {
    // A create or delete that was killed in the middle can leave a folder without state; no domain belongs to it.
    if (existsSync(places.run)) removeFiles(places);
    if (force) return;
    throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  }
  const status = statusOf(places, stored);
  if (!force && (status === 'running' || status === 'creating')) {
    const shown = fullStatus(places, stored);
    throw new VxnError('WRONG_STATE', `cannot delete container ${id} that is not stopped: ${shown}`);
  }
  stamp(places, 'delete.begin');
  await removeContainer(context, places, stored, async () => {
    // Before the files, so that a delete that is killed here runs them again rather than never.
    if (stored.hooks !== undefined) await (await import('./hooks.ts')).poststop(places, stored);
    stamp(places, 'delete.end');
    keep(context.config, context.root, id, places);
  });
}
