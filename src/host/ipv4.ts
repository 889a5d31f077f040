// SPDX-License-Identifier: MIT
// IPv4 addresses as text and as numbers.

/** The address as a number, or undefined when the text is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((p) => p > 255)) return undefined;
  return parts.reduce((sum, p) => sum * 256 + p, 0);
}

/** The dotted form of an address, such as 192.168.1.7. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** The first and the last address of a network: neither is a host's, unless it has no others. */
export function networkOf(address: number, prefix: number): { first: number; last: number } {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

export interface Interface {
  address: number;
  prefix: number;
}

/** Reads `A.B.C.D/N`, an address with the length of its network's prefix. undefined: it is none. */
export function parseInterface(text: string): Interface | undefined {
  const [, host = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const address = parseIpv4(host);
  const prefix = Number(length);
  if (address === undefined || length === '' || prefix < 1 || prefix > 32) return undefined;
  const { first, last } = networkOf(address, prefix);
  return prefix < 31 && (address === first || address === last) ? undefined : { address, prefix };
}

export interface Pool {
  from: number;
  to: number;
  prefix: number;
}

/** `A.B.C.D-E.F.G.H/N`: addresses of one network. undefined when the text is none. */
export function parsePool(text: string): Pool | undefined {
  const [, low = '', high = ''] = /^([\d.]+)-([\d.]+\/\d{1,2})$/.exec(text) ?? [];
  const to = parseInterface(high);
  const from = to === undefined ? undefined : parseInterface(`${low}/${to.prefix}`);
  if (to === undefined || from === undefined || from.address > to.address) return undefined;
  if (networkOf(from.address, to.prefix).first !== networkOf(to.address, to.prefix).first) return undefined;
  return { from: from.address, to: to.address, prefix: to.prefix };
}
