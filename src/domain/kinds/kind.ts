// SPDX-License-Identifier: MIT
// The kinds of domains: how a domain's guest is spoken to. Whatever verbs do differently for
// them is behind this interface.
import type { Config } from '../../config/config.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Disk } from '../../xen/domain-config.ts';
import type { Network } from '../network.ts';

/**
 * `agent`: vxn-agent and its channel. `marker`: meta-virtualization's guest images,
 * docs/marker-guests.md.
 */
export type KindName = 'agent' | 'marker';

/** What a kind of guest boots unless the container says otherwise. */
export interface Images {
  kernel: string;
  initramfs: string;
  /** The kernel's command line, when it is not vxn-agent's. */
  boot?: string;
}

/** What the first process of a container is started from. */
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

export interface Kind {
  /** Refuses what `start` would refuse, while nothing has to be undone yet. */
  check(spec: Spec, config: Config, callersTerminal: boolean): void;
  images(spec: Spec, config: Config): Images;
  disks(rootDisk: string, config: Config): Disk[];
  /** Bytes of the root disk that it takes for itself. */
  room(spec: Spec, config: Config): number;
  /** Arguments of its own for vxn-monitor. */
  readonly monitorArgs: readonly string[];
  /**
   * Leaves the description of the container and its first process where the monitor, or the
   * guest itself, looks for it at `start`.
   */
  describe(launch: Launch): void;
}

/** What differs between kinds and is asked without loading them. */
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
