// SPDX-License-Identifier: MIT
// How a container is joined to the world: by its network namespace, by a bridge of Dom0, or not at all. docs/network.md.
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import type { Interface } from '../host/ipv4.ts';
import type { Annotations } from '../spec/annotations.ts';

/**
 * What is stored of it. `either`: the namespace or, when the engine has put nothing into it until start, the bridge. Without an
 * address the guest asks a DHCP server.
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

/** What is known before anything is made. */
export interface NetworkPlan extends Network {
  /** The addresses to choose from; none: as address says. */
  candidates: readonly Interface[];
}

export const HOST_NETWORK: readonly [message: string, hint: string] = [
  "the host's network namespace cannot be shared with a virtual machine",
  'config.json needs a network namespace; leave out --net-host, --network host, or ask for a bridge: docs/network.md',
];

/**
 * The annotation decides, then what the engine does with the namespace, then the settings. Throws UNSUPPORTED for the host's
 * network, INVALID_SPEC for an address and a gateway that do not fit.
 */
export async function planNetwork(
  annotations: Annotations,
  hasNamespace: boolean,
  config: Config,
  uuid: string,
): Promise<NetworkPlan> {
  const chosen = annotations.text('network-mode');
  if (chosen === 'host' || (!hasNamespace && (chosen === undefined || chosen === 'namespace'))) {
    throw new VxnError('UNSUPPORTED', HOST_NETWORK[0], { hint: HOST_NETWORK[1] });
  }
  const mode = chosen ?? config.networkMode;
  if (mode === 'none' || mode === 'namespace') return { mode, candidates: [] };
  const { planBridge } = await import('./bridge.ts');
  return { mode: chosen === 'bridge' ? 'bridge' : 'either', ...planBridge(annotations, config, uuid) };
}
