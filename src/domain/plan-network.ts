// SPDX-License-Identifier: MIT
// Decides how a domain is connected: by the container's network namespace, by a bridge of Dom0, or
// not at all (docs/network.md).
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import type { Annotations } from '../spec/annotations.ts';
import { lazy } from './lazy.ts';
import type { NetworkPlan } from './network.ts';

/** The refusal of the host's network: its message, then its hint. */
export const HOST_NETWORK: readonly [message: string, hint: string] = [
  "the host's network namespace cannot be shared with a virtual machine",
  'config.json needs a network namespace; leave out --net-host or --network host, or ask for a bridge (docs/network.md)',
];

/**
 * Plans the network of a domain. The annotation decides first, then the engine's use of the
 * namespace, then the settings. Throws UNSUPPORTED for the host's network, INVALID_SPEC for a
 * gateway that does not fit the address.
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
  const { planBridge } = await lazy.bridge();
  return { mode: chosen === 'bridge' ? 'bridge' : 'either', ...planBridge(annotations, config, uuid) };
}
