// SPDX-License-Identifier: MIT

import type { Step } from '../oci/step.ts';

/** What the runtime asks of Xen. Each call may take seconds and blocks. */
export interface Toolstack {
  /** What makes the domain that a configuration file describes, and unpauses it unless paused. Its failure is TOOLSTACK. */
  createStep(configFile: string, paused: boolean): Step;
  /** The id of the domain of this name, if its UUID is this one; undefined when there is none. */
  findDomain(name: string, uuid: string): number | undefined;
  /** True while domain domid exists and has this UUID. */
  isOurs(domid: number, uuid: string): boolean;
  /** Stops a domain's processors; Xen counts how often. Failures of these two are TOOLSTACK. */
  pause(domid: number): void;
  unpause(domid: number): void;
  /** Destroys the domain and waits until its devices are released. One that is gone already is no error. */
  destroy(domid: number): void;
}
