// SPDX-License-Identifier: MIT
// The bridge of containers in mode bridge (docs/network.md). All others bring their network along.
import { type Check, failed, ok, skipped } from './check.ts';

const bridge: Check = {
  id: 'bridge',
  look({ host, config: { networkMode, bridge: name } }) {
    const folder = `/sys/class/net/${name}`;
    if (host.stat(`${folder}/bridge`) !== undefined) return ok(`the bridge ${name} is there`);
    if (networkMode !== 'bridge') return skipped(`networkMode is ${networkMode}: no bridge is needed`);
    if (host.stat(folder) !== undefined)
      return failed(
        `${name} is no bridge`,
        'make an interface of it a port of a bridge, or set bridge in /etc/vxn/vxn.yaml',
      );
    return failed(
      `there is no bridge ${name}: containers without an engine's network do not start`,
      `ip link add ${name} type bridge, with the interface to the network as its port; or set bridge in /etc/vxn/vxn.yaml`,
    );
  },
};

export const NETWORK_CHECKS: readonly Check[] = [bridge];
