// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import type { Domain } from './domain.ts';

/** The Xen id of a domain. Throws TOOLSTACK when that domain no longer exists, or is not ours. */
export function ownDomain(toolstack: Toolstack, { domid, uuid, name }: Domain): number {
  if (domid !== undefined && toolstack.isOurs(domid, uuid)) return domid;
  throw new VxnError('TOOLSTACK', `domain ${domid ?? name} no longer belongs to this container`);
}
