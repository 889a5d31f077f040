// SPDX-License-Identifier: MIT
import type { Interface } from '../host/ipv4.ts';

/**
 * How a domain is joined to the world; docs/network.md. `either`: to the network namespace or,
 * when the engine has put nothing into it until start, to the bridge. Without an address the
 * guest asks a DHCP server.
 */
export interface Network {
  mode: 'none' | 'namespace' | 'bridge' | 'either';
  bridge?: string;
  /** `00:16:3e:...` */
  mac?: string;
  /** `A.B.C.D/N` */
  address?: string;
  gateway?: string;
}

/** What is known of it before anything is made. */
export interface NetworkPlan extends Network {
  /** The addresses to choose from. None: `address` says it. */
  candidates: readonly Interface[];
}
