// SPDX-License-Identifier: MIT
import type { Context } from '../domain/context.ts';

/** A domain of ours, as `domains` shows it. */
export interface DomainRow {
  uuid: string;
  /** Its name in `xl list`. */
  name: string;
  /** Of a domain that Xen has. */
  domid?: number;
  kind: 'agent' | 'marker';
  status: string;
  /** MiB. */
  memory: number;
  vcpus: number;
  /** Its containers, each with the --root that it was made with. */
  containers: readonly { root: string; id: string }[];
}

/** `domains`: every domain of ours. There is nothing to list before domains have a state of their own. */
export function domains(_context: Context): DomainRow[] {
  return [];
}
