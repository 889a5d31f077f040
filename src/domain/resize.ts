// SPDX-License-Identifier: MIT
// Changing the size of a running domain, in place.

import type { Size } from '../xen/domain-config.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import { GuestWatch } from './guest-watch.ts';
import { type LiveDomain, resizeMemory, resizeVcpus } from './resize-guest.ts';
import { allOrNothing, type Undoable } from './undoable.ts';

const DEFAULT_WEIGHT = 256;

/** The parts of a size that a request names. They are set even when they are as before. */
export interface NamedParts {
  memory: boolean;
  vcpus: boolean;
  /** Weight and cap. */
  share: boolean;
  cpus: boolean;
}

export interface Resize {
  toolstack: Toolstack;
  domid: number;
  /** The monitor's control socket. undefined when the guest need not, or cannot, take part. */
  socket: string | undefined;
  before: Size;
  after: Size;
  named: NamedParts;
}

function schedulerChanges({ toolstack, domid, before, after, named }: Resize): Undoable[] {
  const share = (size: Size): void => toolstack.setShare(domid, size.weight ?? DEFAULT_WEIGHT, size.cap);
  const cpus = (size: Size): void => toolstack.setCpus(domid, size.cpus);
  return [
    ...(named.share ? [{ do: () => share(after), undo: () => share(before) }] : []),
    ...(named.cpus ? [{ do: () => cpus(after), undo: () => cpus(before) }] : []),
  ];
}

// The present values come from Xen and the guest, because a killed update may have changed them.
async function guestChanges(domain: LiveDomain, { after, named }: Resize): Promise<Undoable[]> {
  const memory = named.memory ? domain.toolstack.memory(domain.domid) : after.memory;
  const vcpus = named.vcpus ? (await domain.guest.stats()).cpus : after.vcpus;
  return [
    ...(memory === after.memory ? [] : [resizeMemory(domain, memory, after.memory)]),
    ...(vcpus === after.vcpus ? [] : [resizeVcpus(domain, vcpus, after.vcpus)]),
  ];
}

/** Percent of one processor; a cap of 0 means that there is no limit. */
const allowance = ({ cap }: Size): number => (cap === 0 ? Number.POSITIVE_INFINITY : cap);

/** Whether the guest takes part in changing these parts of a domain's size. */
export const needsGuest = (named: NamedParts, { maxvcpus }: Size): boolean =>
  named.memory || (named.vcpus && maxvcpus > 1);

/**
 * Gives a domain its new size. Either every change is made, or none. Throws WRONG_STATE,
 * UNSUPPORTED, TOOLSTACK, GUEST.
 */
export async function resize(request: Resize): Promise<void> {
  const { toolstack, domid, socket, before, after } = request;
  const ofScheduler = schedulerChanges(request);
  if (socket === undefined) return allOrNothing(ofScheduler);
  const guest = await GuestWatch.open(socket);
  try {
    const ofGuest = await guestChanges({ toolstack, domid, guest }, request);
    // The guest makes its changes while it has the larger of the two shares.
    const grows = allowance(after) > allowance(before);
    await allOrNothing(grows ? [...ofScheduler, ...ofGuest] : [...ofGuest, ...ofScheduler]);
  } finally {
    guest.close();
  }
}
