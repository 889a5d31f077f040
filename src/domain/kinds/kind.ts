// SPDX-License-Identifier: MIT
// The kinds of domains: how vxn speaks to a domain's guest. Every difference between kinds is
// behind this interface.
import type { Config } from '../../config/config.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Disk } from '../../xen/domain-config.ts';
import type { Network } from '../network.ts';

/**
 * `agent` is vxn-agent with its channel. `marker` is a guest image of meta-virtualization
 * (docs/marker-guests.md).
 */
export type KindName = 'agent' | 'marker';

/** The files that a kind of guest boots, unless the container names others. */
export interface Images {
  kernel: string;
  initramfs: string;
  /** The kernel's command line, when the guest's init is not vxn-agent. */
  boot?: string;
}

/** Everything that starts the first process of a container. */
export interface Launch {
  spec: Spec;
  config: Config;
  /** The bundle's root file system in Dom0. */
  rootfs: string;
  /** The image of the container's root. */
  rootDisk: string;
  network: Network | undefined;
  /** The value of the process's SECCOMP record, if it has one. */
  seccomp: Buffer | undefined;
  /** The HOOK records of the process. */
  hooks: Buffer;
  /** The file that the monitor passes to the guest at `start`. */
  startFrames: string;
  /** PATH, for programs that prepare the launch. */
  path: string;
}

/** A way to speak to guests. */
export interface Kind {
  /**
   * Refuses at create what `start` would refuse, while nothing has to be undone yet. Throws
   * INVALID_SPEC, UNSUPPORTED, HOST.
   */
  check(spec: Spec, config: Config, callersTerminal: boolean): void;
  /** The files that a domain of this kind boots by default. */
  images(spec: Spec, config: Config): Images;
  /** The disks of the domain. rootDisk: the image of the container's root. */
  disks(rootDisk: string, config: Config): Disk[];
  /** Bytes that the kind itself takes on the root disk. */
  room(spec: Spec, config: Config): number;
  /** The arguments of vxn-monitor for this kind. */
  readonly monitorArgs: readonly string[];
  /**
   * Writes the description of the container and its first process. At `start` the monitor or the
   * guest reads it. Throws INVALID_SPEC, UNSUPPORTED, HOST, DISK.
   */
  describe(launch: Launch): void;
}

/** The differences between kinds that are needed before a kind is loaded. */
export interface Traits {
  /** The domain stays paused until `start`, because its init runs the program at boot. */
  startsPaused: boolean;
  /** The guest follows a change of its memory and processors while it runs. */
  resizable: boolean;
}

export const TRAITS: Readonly<Record<KindName, Traits>> = {
  agent: { startsPaused: false, resizable: true },
  marker: { startsPaused: true, resizable: false },
};
