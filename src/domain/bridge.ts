// SPDX-License-Identifier: MIT
// Addresses of containers on a bridge of Dom0. vxn gives them out, unless a DHCP server does.
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { formatIpv4, type Interface, networkOf, parseInterface, parsePool } from '../host/ipv4.ts';
import { dropLease, leaseOwner, takeLease } from '../host/leases.ts';
import type { Annotations } from '../spec/annotations.ts';
import type { Network, NetworkPlan } from './network.ts';

/** The container that has an address. */
interface Owner {
  uuid: string;
  id: string;
}

const ownerText = ({ uuid, id }: Owner): string => `${uuid} ${id}`;
const textOf = ({ address, prefix }: Interface): string => `${formatIpv4(address)}/${prefix}`;
const hostOf = (address: string): string => address.replace(/\/.*/, '');

function* poolAddresses(text: string, gateway: string): Generator<Interface> {
  const pool = parsePool(text);
  if (pool === undefined) return;
  for (let address = pool.from; address <= pool.to; address++) {
    if (formatIpv4(address) !== gateway) yield { address, prefix: pool.prefix };
  }
}

// 00:16:3e belongs to Xen. The rest comes from the domain's UUID.
function macOf(uuid: string): string {
  const digits = uuid.replaceAll('-', '').slice(0, 6);
  const first = (Number.parseInt(digits.slice(0, 2), 16) & 0x7f).toString(16).padStart(2, '0');
  return `00:16:3e:${first}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`;
}

function isReachable(gateway: string, from: Interface): boolean {
  const there = parseInterface(`${gateway}/${from.prefix}`);
  const network = ({ address, prefix }: Interface): number => networkOf(address, prefix).first;
  return there !== undefined && network(there) === network(from);
}

/**
 * The bridge, the MAC address and the possible addresses of a container. Annotations decide first,
 * then the settings. Throws INVALID_SPEC for a gateway that is not in the address's network.
 */
export function planBridge(
  annotations: Annotations,
  config: Config,
  uuid: string,
): Omit<NetworkPlan, 'mode'> {
  const wanted = annotations.text('network-address');
  const gateway = annotations.text('network-gateway') ?? config.bridgeGateway;
  const own = wanted === undefined || wanted === 'dhcp' ? undefined : parseInterface(wanted);
  const pool = wanted === undefined ? [...poolAddresses(config.bridgeAddresses, gateway)] : [];
  const candidates = own === undefined ? pool : [own];
  if (gateway !== '' && candidates[0] !== undefined && !isReachable(gateway, candidates[0])) {
    throw new VxnError(
      'INVALID_SPEC',
      `gateway ${gateway} is not in the network of ${textOf(candidates[0])}`,
    );
  }
  return {
    bridge: annotations.text('network-bridge') ?? config.bridge,
    mac: macOf(uuid),
    ...(gateway === '' ? {} : { gateway }),
    candidates,
  };
}

function occupied(plan: NetworkPlan, config: Config): VxnError {
  const [only, second] = plan.candidates;
  const bridge = plan.bridge ?? '';
  if (only !== undefined && second === undefined) {
    const address = formatIpv4(only.address);
    const owner = leaseOwner(config.runDir, bridge, address)?.split(' ')[1];
    return new VxnError('NETWORK', `address ${address} of ${bridge} is in use by container ${owner ?? '?'}`, {
      hint: 'choose another address with the annotation org.openembedded.vxn.network-address',
    });
  }
  return new VxnError('NETWORK', `no address of ${config.bridgeAddresses} is left for ${bridge}`, {
    hint: 'bridgeAddresses in /etc/vxn/vxn.yaml lists the addresses',
  });
}

/**
 * Takes an address for the container, unless a DHCP server gives it one. remember stores each
 * choice before the address is taken, so that a later delete knows which one to give back. Throws
 * NETWORK when no address is free.
 */
export function takeAddress(
  plan: NetworkPlan,
  config: Config,
  owner: Owner,
  remember: (network: Network) => void,
): void {
  const { candidates, ...network } = plan;
  if (candidates.length === 0) {
    remember(network);
    return;
  }
  const bridge = plan.bridge ?? '';
  for (const candidate of candidates) {
    const host = formatIpv4(candidate.address);
    if (leaseOwner(config.runDir, bridge, host) !== undefined) continue;
    remember({ ...network, address: textOf(candidate) });
    if (takeLease(config.runDir, bridge, host, ownerText(owner))) return;
  }
  remember(network);
  throw occupied(plan, config);
}

/** Gives back the address that takeAddress() took. The address of another owner is left alone. */
export function giveBackAddress({ bridge, address }: Network, config: Config, owner: Owner): void {
  if (bridge !== undefined && address !== undefined)
    dropLease(config.runDir, bridge, hostOf(address), ownerText(owner));
}
