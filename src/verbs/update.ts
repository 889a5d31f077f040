// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkId,
  load,
  type Places,
  placesOf,
  type Stored,
  statusOf,
  store,
} from '../container/container.ts';
import { checkUpdatable, planUpdate, type Update } from '../container/update-plan.ts';
import type { Context } from '../domain/context.ts';
import { isPaused } from '../domain/paused.ts';
import { needsGuest, resize } from '../domain/resize.ts';
import type { Size } from '../domain/sizing.ts';
import { VxnError } from '../host/errors.ts';
import { withLock } from '../host/lock.ts';
import { type Json, optionalObject } from '../spec/read.ts';
import { parseLimits } from '../spec/resources.ts';
import { physicalCpus } from '../xen/host.ts';
import { ownDomain } from './pause.ts';

/** The stored container and its size. Throws DOES_NOT_EXIST, WRONG_STATE, UNSUPPORTED. */
function loadRunning(places: Places): { stored: Stored; size: Size } {
  const stored = load(places);
  const status = statusOf(places, stored);
  if (status !== 'running' && status !== 'created')
    throw new VxnError('WRONG_STATE', 'container not running');
  const { size } = stored;
  if (size === undefined) throw new VxnError('UNSUPPORTED', 'this container was made by an older vxn');
  return { stored, size };
}

function configResources(places: Places): Json {
  const config = JSON.parse(readFileSync(places.config, 'utf8')) as Json;
  const linux = optionalObject(config.linux, 'linux') ?? {};
  return optionalObject(linux.resources, 'linux.resources') ?? {};
}

function planFor(context: Context, places: Places, stored: Stored, size: Size, wanted: Json): Update {
  const before = configResources(places);
  checkUpdatable(wanted, before);
  const limits = stored.limits ?? parseLimits(before, 'linux.resources');
  return planUpdate(size, limits, wanted, context.config, physicalCpus());
}

/** The first part that the guest itself has to change. */
function guestPart(before: Size, after: Size): 'memory' | 'vcpus' | undefined {
  if (after.memory !== before.memory) return 'memory';
  return after.vcpus !== before.vcpus ? 'vcpus' : undefined;
}

function checkGuestCan(places: Places, stored: Stored, before: Size, after: Size): void {
  const part = guestPart(before, after);
  if (part === undefined) return;
  if (stored.guest === 'marker')
    throw new VxnError('UNSUPPORTED', `update: ${part} of a marker guest cannot be changed`);
  if (isPaused(places) === true) {
    throw new VxnError('WRONG_STATE', `container paused: its guest cannot change its ${part}`, {
      hint: 'resume it first',
    });
  }
}

/** The control socket, if the guest has to take part in the update and can. */
function guestSocket(places: Places, stored: Stored, size: Size, update: Update): string | undefined {
  if (!needsGuest(update, size) || stored.guest === 'marker') return undefined;
  return isPaused(places) === true ? undefined : places.control;
}

/**
 * `update`: changes the memory and processors of a running container's domain in place, up to its
 * maxima. wanted is a linux.resources object. All of it happens, or nothing. Throws INVALID_ID,
 * DOES_NOT_EXIST, WRONG_STATE, INVALID_SPEC, UNSUPPORTED, GUEST, TOOLSTACK.
 */
export async function update(context: Context, id: string, wanted: Json): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  load(places);
  await withLock(join(places.run, 'lock'), async () => {
    const { stored, size } = loadRunning(places);
    const plan = planFor(context, places, stored, size, wanted);
    checkGuestCan(places, stored, size, plan.size);
    const toolstack = await context.toolstack();
    await resize({
      toolstack,
      domid: ownDomain(toolstack, stored),
      socket: guestSocket(places, stored, size, plan),
      before: size,
      after: plan.size,
      named: plan,
    });
    store(places, { ...stored, size: plan.size, limits: plan.limits });
  });
}
