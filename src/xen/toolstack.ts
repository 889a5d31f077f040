// SPDX-License-Identifier: MIT

import type { Step } from '../host/step.ts';

/** The name of the step that makes a domain, in time lines too. */
export const CREATE_STEP = 'xl-create';

/** What the runtime asks of Xen. Each call may take seconds and blocks. */
export interface Toolstack {
  /**
   * The step that makes the domain of a configuration file, and unpauses it unless paused. Its
   * failure is TOOLSTACK.
   */
  createStep(configFile: string, paused: boolean): Step;
  /** True when the command line of a process (words that end in NUL) is such a step. */
  isCreating(commandLine: string): boolean;
  /** Arguments of vxn-monitor that say how it destroys its domain. */
  readonly monitorArgs: readonly string[];
  /** The id of the domain of this name, if its UUID is this one; undefined when there is none. */
  findDomain(name: string, uuid: string): number | undefined;
  /** True while domain domid exists and has this UUID. */
  isOurs(domid: number, uuid: string): boolean;
  /** Stops a domain's processors; Xen counts how often. Failures of these two are TOOLSTACK. */
  pause(domid: number): void;
  unpause(domid: number): void;
  /** MiB that the domain has at this moment. */
  memory(domid: number): number;
  /** Sets the memory target. The guest follows gradually, or not at all. */
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
