// SPDX-License-Identifier: MIT
// The changes of size in which the guest takes part: its memory, and its processors.
import { VxnError } from '../host/errors.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import type { GuestWatch } from './guest-watch.ts';
import type { Undoable } from './undoable.ts';

const MIB = 1 << 20;
/** Bytes that a guest needs to go on, besides the ones that it gives back. */
const SLACK = 8 * MIB;
const TOLERANCE = 4 * MIB;

/** A running domain whose guest answers. */
export interface LiveDomain {
  toolstack: Toolstack;
  domid: number;
  guest: GuestWatch;
}

async function checkSpare({ guest }: LiveDomain, before: number, after: number): Promise<number> {
  const { memoryTotal, memoryAvailable } = await guest.stats();
  if (memoryAvailable + (after - before) * MIB >= SLACK) return memoryTotal;
  const used = Math.ceil((memoryTotal - memoryAvailable) / MIB);
  throw new VxnError('UNSUPPORTED', `the guest cannot give back ${before - after} MiB: it uses ${used} MiB`, {
    hint: 'nothing was changed',
  });
}

/**
 * A change of the memory from before to after, in MiB. It waits for the guest. It throws
 * UNSUPPORTED, TOOLSTACK or GUEST.
 */
export function resizeMemory(domain: LiveDomain, before: number, after: number): Undoable {
  const { toolstack, domid, guest } = domain;
  const undo = (): void => toolstack.setMemory(domid, before);
  return {
    async do() {
      const total = await checkSpare(domain, before, after);
      toolstack.setMemory(domid, after);
      const wanted = total + (after - before) * MIB;
      if (await guest.reaches((s) => s.memoryTotal, wanted, TOLERANCE)) return;
      undo();
      throw new VxnError('GUEST', `the guest does not go from ${before} to ${after} MiB`, {
        hint: 'nothing was changed; its kernel needs CONFIG_XEN_BALLOON, and Xen free memory',
      });
    },
    undo,
  };
}

/** A change of the number of vcpus. It waits for the guest. It throws TOOLSTACK or GUEST. */
export function resizeVcpus(
  { toolstack, domid, guest }: LiveDomain,
  before: number,
  after: number,
): Undoable {
  const undo = (): void => toolstack.setVcpus(domid, before);
  return {
    async do() {
      toolstack.setVcpus(domid, after);
      if (await guest.reaches((s) => s.cpus, after, 0)) return;
      undo();
      throw new VxnError('GUEST', `the guest does not go from ${before} to ${after} vcpus`, {
        hint: 'nothing was changed; its kernel needs CONFIG_HOTPLUG_CPU, see logs --console',
      });
    },
    undo,
  };
}
