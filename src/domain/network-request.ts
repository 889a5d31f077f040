// SPDX-License-Identifier: MIT
// The JOIN payload of the start file. It tells the monitor how to connect the domain.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Records, Tag } from '../channel/protocol.ts';
import type { Spec } from '../spec/spec.ts';
import type { Network } from './network.ts';

const RESOLV_CONF = '/etc/resolv.conf';
const RESOLV_CONF_MAX = 65536;
const RESOLVERS_MAX = 4;

/**
 * The loopback addresses among the name servers of a resolv.conf(5), as bytes: 4 for IPv4, 16 for
 * IPv6.
 */
export function loopbackNameServers(text: string): Buffer[] {
  const found = new Map<string, Buffer>();
  for (const line of text.split('\n')) {
    const [, address = ''] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    const bytes = address.split('.').map(Number);
    const v4 = /^127(\.\d{1,3}){3}$/.test(address) && bytes.every((b) => b < 256);
    if (v4) found.set(address, Buffer.from(bytes));
    if (address === '::1') found.set(address, Buffer.from([...Array(15).fill(0), 1]));
  }
  return [...found.values()].slice(0, RESOLVERS_MAX);
}

function resolvConf(spec: Pick<Spec, 'mounts'>): string {
  const mount = spec.mounts.filter((m) => m.type === 'bind' && m.destination === RESOLV_CONF).at(-1);
  if (mount === undefined) return '';
  const fd = openSync(mount.source, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) return '';
    const buffer = Buffer.alloc(RESOLV_CONF_MAX);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, RESOLV_CONF_MAX, 0));
  } finally {
    closeSync(fd);
  }
}

const MODES = { none: 0, namespace: 1, bridge: 2, either: 3 } as const;

const dotted = (text: string): number[] => text.split('.').map(Number);

function bridge(records: Records, { bridge: name, mac, address, gateway }: Network): void {
  if (name === undefined || mac === undefined) return;
  records.text(Tag.JoinBridge, name).raw(Tag.JoinMac, Buffer.from(mac.replaceAll(':', ''), 'hex'));
  const [host = '', prefix = ''] = address?.split('/') ?? [];
  if (prefix !== '') records.raw(Tag.JoinAddress, Buffer.from([...dotted(host), Number(prefix)]));
  if (gateway !== undefined) records.raw(Tag.JoinGateway, Buffer.from(dotted(gateway)));
}

/**
 * The JOIN payload for the network that create has stored. Throws the error of the file system
 * when the container's resolv.conf cannot be read.
 */
export function describeNetwork(network: Network | undefined, spec: Pick<Spec, 'mounts'>): Buffer {
  const records = new Records().u32(Tag.JoinMode, MODES[network?.mode ?? 'namespace']);
  if (network !== undefined) bridge(records, network);
  // At such an address the engine answers in its namespace. The guest's loopback is another one.
  for (const address of loopbackNameServers(resolvConf(spec))) records.raw(Tag.JoinResolver, address);
  return records.bytes();
}
