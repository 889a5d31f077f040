// SPDX-License-Identifier: MIT
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { checkId, load, type Places, placesOf, type Stored, statusOf } from '../container/container.ts';
import { fullStatus, isPaused } from '../domain/paused.ts';
import { VxnError } from '../host/errors.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import type { Context } from './context.ts';

// Xen counts: a domain that was paused twice runs when it was unpaused twice.
const UNPAUSE_MAX = 32;

/** The container's domain, if it still is there and ours. Throws TOOLSTACK. */
export function ownDomain(toolstack: Toolstack, stored: Stored): number {
  const { domid, uuid } = stored;
  if (domid !== undefined && toolstack.isOurs(domid, uuid)) return domid;
  throw new VxnError('TOOLSTACK', `domain ${domid ?? stored.domain} is not the container's any more`);
}

/** Makes sure of what xl did. A container that has ended meanwhile is not paused. */
function checkEffect(places: Places, stored: Stored, wanted: boolean): void {
  const paused = isPaused(places);
  if (paused === wanted) return;
  if (statusOf(places, stored) === 'stopped') {
    if (!wanted) return;
    throw new VxnError('WRONG_STATE', 'container not running');
  }
  if (paused === undefined) throw new VxnError('MONITOR', 'the monitor does not answer');
  throw new VxnError('TOOLSTACK', `domain ${stored.domid} is ${paused ? 'still' : 'not'} paused`, {
    hint: 'see xl list and /var/log/xen',
  });
}

/**
 * `pause`: stops the processors of the container's domain. Nothing in it runs until resume; signals wait that long, but SIGKILL.
 * Throws DOES_NOT_EXIST, WRONG_STATE, TOOLSTACK, MONITOR.
 */
export async function pause(context: Context, id: string): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  const status = fullStatus(places, stored);
  if (status !== 'running' && status !== 'created')
    throw new VxnError('WRONG_STATE', 'container not running');
  if (status === 'created' && stored.guest === 'marker')
    throw new VxnError('WRONG_STATE', 'container not running', { hint: 'its domain waits for start' });
  const toolstack = await context.toolstack();
  const domid = ownDomain(toolstack, stored);
  writeFileSync(places.paused, '', { mode: 0o600 });
  toolstack.pause(domid);
  checkEffect(places, stored, true);
}

/**
 * `resume`: lets a paused domain run, whoever paused it. Throws DOES_NOT_EXIST, WRONG_STATE, TOOLSTACK, MONITOR. A container
 * that ended while it was paused is no error: containerd's shim resumes it then.
 */
export async function resume(context: Context, id: string): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  const status = fullStatus(places, stored);
  if (status === 'stopped' && existsSync(places.paused)) return rmSync(places.paused, { force: true });
  if (status !== 'paused') throw new VxnError('WRONG_STATE', 'container not paused');
  const toolstack = await context.toolstack();
  const domid = ownDomain(toolstack, stored);
  for (let i = 0; i < UNPAUSE_MAX && isPaused(places) === true; i++) toolstack.unpause(domid);
  checkEffect(places, stored, false);
  rmSync(places.paused, { force: true });
}
