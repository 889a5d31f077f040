// SPDX-License-Identifier: MIT
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { type Container, checkId, domainOf, type Places, placesOf } from '../container/container.ts';
import { fullStatus, statusOf } from '../container/status.ts';
import { load } from '../container/store.ts';
import type { Context } from '../domain/context.ts';
import { type DomainPlaces, loadDomain } from '../domain/domain.ts';
import { TRAITS } from '../domain/kinds/kind.ts';
import { ownDomain } from '../domain/own-domain.ts';
import { isPaused } from '../domain/paused.ts';
import { VxnError } from '../host/errors.ts';

// Xen counts pauses. A domain that was paused twice runs after two unpauses.
const UNPAUSE_MAX = 32;

interface Found {
  places: Places;
  container: Container;
  domain: DomainPlaces;
  status: ReturnType<typeof fullStatus>;
}

function look({ config, root }: Context, id: string): Found {
  checkId(id);
  const places = placesOf(config, root, id);
  const container = load(places);
  const domain = domainOf(config, container);
  return { places, container, domain, status: fullStatus(config, places, container) };
}

/** Checks that xl has done it. A container that has ended meanwhile is not paused. */
function checkEffect({ places, container, domain }: Found, domid: number, wanted: boolean): void {
  const paused = isPaused(domain);
  if (paused === wanted) return;
  if (statusOf(places, container) === 'stopped') {
    if (!wanted) return;
    throw new VxnError('WRONG_STATE', 'container not running');
  }
  if (paused === undefined) throw new VxnError('MONITOR', 'the monitor does not answer');
  throw new VxnError('TOOLSTACK', `domain ${domid} is ${paused ? 'still' : 'not'} paused`, {
    hint: 'see xl list and /var/log/xen',
  });
}

/**
 * `pause`: stops the processors of the container's domain. Nothing in it runs until resume. Signals
 * wait until then, except SIGKILL. Throws INVALID_ID, DOES_NOT_EXIST, WRONG_STATE, TOOLSTACK,
 * MONITOR.
 */
export async function pause(context: Context, id: string): Promise<void> {
  const found = look(context, id);
  const { status } = found;
  if (status !== 'running' && status !== 'created')
    throw new VxnError('WRONG_STATE', 'container not running');
  const domain = loadDomain(found.domain);
  if (status === 'created' && TRAITS[domain.kind].startsPaused)
    throw new VxnError('WRONG_STATE', 'container not running', { hint: 'its domain waits for start' });
  const toolstack = await context.toolstack();
  const domid = ownDomain(toolstack, domain);
  writeFileSync(found.domain.paused, '', { mode: 0o600 });
  toolstack.pause(domid);
  checkEffect(found, domid, true);
}

/**
 * `resume`: lets a paused domain run, no matter who paused it. A container that ended while it was
 * paused is no error, because containerd's shim resumes it then. Throws INVALID_ID, DOES_NOT_EXIST,
 * WRONG_STATE, TOOLSTACK, MONITOR.
 */
export async function resume(context: Context, id: string): Promise<void> {
  const found = look(context, id);
  const { status, domain } = found;
  if (status === 'stopped' && existsSync(domain.paused)) return rmSync(domain.paused, { force: true });
  if (status !== 'paused') throw new VxnError('WRONG_STATE', 'container not paused');
  const toolstack = await context.toolstack();
  const domid = ownDomain(toolstack, loadDomain(domain));
  for (let i = 0; i < UNPAUSE_MAX && isPaused(domain) === true; i++) toolstack.unpause(domid);
  checkEffect(found, domid, false);
  rmSync(domain.paused, { force: true });
}
