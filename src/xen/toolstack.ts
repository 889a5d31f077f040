// SPDX-License-Identifier: MIT

import type { Step } from '../host/step.ts';

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
  /** MiB that the domain has at this moment. */
  memory(domid: number): number;
  /** Asks the guest to get by with so many MiB, or to take them; it does so by and by, or never. */
  setMemory(domid: number, mib: number): void;
  /** Offers the guest so many vcpus. */
  setVcpus(domid: number, vcpus: number): void;
  /** Weight and cap (percent, 0 for none) in the scheduler. UNSUPPORTED when Xen's scheduler knows neither. */
  setShare(domid: number, weight: number, cap: number): void;
  /** The physical processors that the domain may run on; '' for all. */
  setCpus(domid: number, cpus: string): void;
  /** Destroys the domain and waits until its devices are released. One that is gone already is no error. */
  destroy(domid: number): void;
}
