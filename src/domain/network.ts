// SPDX-License-Identifier: MIT
import type { Interface } from '../host/ipv4.ts';

/**
 * How a domain is connected (docs/network.md). `either` is the network namespace, or the bridge
 * when the engine has put nothing into the namespace until start. Without an address the guest asks
 * a DHCP server.
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

/** The network as it is planned, before anything is made. */
export interface NetworkPlan extends Network {
  /** The addresses to choose from. There is none when vxn gives out no address. */
  candidates: readonly Interface[];
}
