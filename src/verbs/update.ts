// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, checkId, domainOf, type Places, placesOf } from '../container/container.ts';
import { statusOf } from '../container/status.ts';
import { load, store } from '../container/store.ts';
import { checkUpdatable, planUpdate, type Update } from '../container/update-plan.ts';
import type { Context } from '../domain/context.ts';
import { type Domain, type DomainPlaces, loadDomain, storeDomain } from '../domain/domain.ts';
import { TRAITS } from '../domain/kinds/kind.ts';
import { ownDomain } from '../domain/own-domain.ts';
import { isPaused } from '../domain/paused.ts';
import { needsGuest, resize } from '../domain/resize.ts';
import { VxnError } from '../host/errors.ts';
import { withLock } from '../host/lock.ts';
import { type Json, optionalObject } from '../spec/read.ts';
import { parseLimits } from '../spec/resources.ts';
import type { Size } from '../xen/domain-config.ts';
import { physicalCpus } from '../xen/host.ts';

/** The stored container. Throws DOES_NOT_EXIST, WRONG_STATE. */
function loadRunning(places: Places): Container {
  const container = load(places);
  const status = statusOf(places, container);
  if (status === 'running' || status === 'created') return container;
  throw new VxnError('WRONG_STATE', 'container not running');
}

function configResources(places: Places): Json {
  const config = JSON.parse(readFileSync(places.config, 'utf8')) as Json;
  const linux = optionalObject(config.linux, 'linux') ?? {};
  return optionalObject(linux.resources, 'linux.resources') ?? {};
}

function planFor(context: Context, places: Places, container: Container, size: Size, wanted: Json): Update {
  const before = configResources(places);
  checkUpdatable(wanted, before);
  const limits = container.limits ?? parseLimits(before, 'linux.resources');
  return planUpdate(size, limits, wanted, context.config, physicalCpus());
}

/** The first part of the change that the guest itself has to make. */
function guestPart(before: Size, after: Size): 'memory' | 'vcpus' | undefined {
  if (after.memory !== before.memory) return 'memory';
  return after.vcpus !== before.vcpus ? 'vcpus' : undefined;
}

function checkGuestCan(places: DomainPlaces, { kind, size }: Domain, after: Size): void {
  const part = guestPart(size, after);
  if (part === undefined) return;
  if (!TRAITS[kind].resizable)
    throw new VxnError('UNSUPPORTED', `update: ${part} of a ${kind} guest cannot be changed`);
  if (isPaused(places) === true) {
    throw new VxnError('WRONG_STATE', `container paused: its guest cannot change its ${part}`, {
      hint: 'resume it first',
    });
  }
}

/** The control socket, if the guest has to make a part of the update and is able to. */
function guestSocket(places: DomainPlaces, { kind, size }: Domain, update: Update): string | undefined {
  if (!needsGuest(update, size) || !TRAITS[kind].resizable) return undefined;
  return isPaused(places) === true ? undefined : places.control;
}

/**
 * `update`: changes the memory and processors of a running container's domain in place, up to its
 * maxima. wanted is a linux.resources object. Either all of it happens, or nothing. Throws
 * INVALID_ID, DOES_NOT_EXIST, WRONG_STATE, INVALID_SPEC, UNSUPPORTED, GUEST, TOOLSTACK.
 */
export async function update(context: Context, id: string, wanted: Json): Promise<void> {
  checkId(id);
  const { config, root } = context;
  const places = placesOf(config, root, id);
  load(places);
  await withLock(join(places.run, 'lock'), async () => {
    const container = loadRunning(places);
    const at = domainOf(config, container);
    const domain = loadDomain(at);
    const plan = planFor(context, places, container, domain.size, wanted);
    checkGuestCan(at, domain, plan.size);
    const toolstack = await context.toolstack();
    await resize({
      toolstack,
      domid: ownDomain(toolstack, domain),
      socket: guestSocket(at, domain, plan),
      before: domain.size,
      after: plan.size,
      named: plan,
    });
    storeDomain(at, { ...domain, size: plan.size });
    store(places, { ...container, limits: plan.limits });
  });
}
