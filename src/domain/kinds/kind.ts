// SPDX-License-Identifier: MIT
// The kinds of guests. Everything that create and start do differently for them is behind this interface.
import type { Config } from '../../config/config.ts';
import type { Places, Stored } from '../../container/container.ts';
import type { Stdio } from '../../container/stdio.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Disk } from '../../xen/domain-config.ts';
import { agentGuest } from './agent.ts';

/** `agent`: vxn-agent and its channel. `marker`: meta-virtualization's guest images, docs/marker-guests.md. */
export type GuestProtocol = 'agent' | 'marker';

/** What a kind of guest boots unless the container says otherwise. */
export interface Images {
  kernel: string;
  initramfs: string;
  /** The kernel's command line, when that is not vxn-agent's. */
  boot?: string;
}

export interface Guest {
  /** Refuses what `start` would refuse, while nothing has to be undone yet. */
  check(spec: Spec, config: Config, stdio: Stdio): void;
  images(spec: Spec, config: Config): Images;
  disks(places: Places, config: Config): Disk[];
  /** Bytes of the root disk that it takes for itself. */
  room(spec: Spec, config: Config): number;
  /** The domain must not run before `start`, since its init would run the program. */
  readonly paused: boolean;
  /** Arguments of its own for vxn-monitor. */
  readonly monitorArgs: readonly string[];
  /**
   * Leaves word of the container and its program where the monitor, or the guest itself, looks at `start`. hooks are the HOOK
   * records of the program's description.
   */
  describe(stored: Stored, spec: Spec, places: Places, config: Config, hooks: Buffer): void;
}

/** The guest of a protocol. What only other kinds need is not loaded. */
export async function guestOf(protocol: GuestProtocol | undefined): Promise<Guest> {
  return protocol === 'marker' ? (await import('./marker.ts')).markerGuest : agentGuest;
}
