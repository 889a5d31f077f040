// SPDX-License-Identifier: MIT
import type { Context } from '../domain/context.ts';

/** A domain of ours, as `domains` shows it. */
export interface DomainRow {
  uuid: string;
  /** Its name in `xl list`. */
  name: string;
  /** Unknown until its monitor watches it. */
  domid: number | undefined;
  kind: 'agent' | 'marker';
  /** `ended`: its monitor is gone, and delete has not removed the files yet. */
  status: 'creating' | 'running' | 'ended';
  /** MiB. */
  memory: number;
  vcpus: number;
  /** Its containers, each with the --root that it was made with. */
  containers: readonly { root: string; id: string }[];
}

/** `domains`: every domain of ours. None is listed before domains have a state of their own. */
export function domains(_context: Context): DomainRow[] {
  return [];
}
