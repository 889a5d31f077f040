// SPDX-License-Identifier: MIT

import type { Step } from '../host/step.ts';

/** The name of the step that makes a domain. Time lines show it, too. */
export const CREATE_STEP = 'xl-create';

/** The operations that the runtime needs from Xen. Each call blocks, and may take seconds. */
export interface Toolstack {
  /**
   * The step that makes the domain of a configuration file. The domain runs at once, unless paused.
   * A failure of the step is TOOLSTACK.
   */
  createStep(configFile: string, paused: boolean): Step;
  /** True when this command line of a process (words that end in NUL) belongs to a createStep(). */
  isCreating(commandLine: string): boolean;
  /** Arguments that tell vxn-monitor how to destroy its domain. */
  readonly monitorArgs: readonly string[];
  /**
   * The id of the domain with this name and this UUID, or undefined when there is none. Throws
   * TOOLSTACK when Xen does not answer.
   */
  findDomain(name: string, uuid: string): number | undefined;
  /**
   * True while the domain domid exists and has this UUID. Throws TOOLSTACK when Xen does not
   * answer.
   */
  isOurs(domid: number, uuid: string): boolean;
  /** Stops the domain's processors. Xen counts the pauses of a domain. Throws TOOLSTACK. */
  pause(domid: number): void;
  /** Takes back one pause. Throws TOOLSTACK. */
  unpause(domid: number): void;
  /** The MiB that the domain has now. Throws TOOLSTACK. */
  memory(domid: number): number;
  /** Sets the memory target. The guest follows gradually, or not at all. Throws TOOLSTACK. */
  setMemory(domid: number, mib: number): void;
  /**
   * Offers the guest this number of vcpus. The guest follows gradually, or not at all. Throws
   * TOOLSTACK.
   */
  setVcpus(domid: number, vcpus: number): void;
  /**
   * Sets weight and cap (percent of one processor, 0 for none) in the scheduler. Throws TOOLSTACK,
   * and UNSUPPORTED when Xen's scheduler knows neither.
   */
  setShare(domid: number, weight: number, cap: number): void;
  /**
   * Sets the physical processors that the domain may run on, as `0-3,6`. '' stands for all. Throws
   * TOOLSTACK.
   */
  setCpus(domid: number, cpus: string): void;
  /**
   * Destroys the domain and waits until its devices are released. It is no error when the domain is
   * gone already.
   */
  destroy(domid: number): void;
}
