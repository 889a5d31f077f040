// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4, networkOf, parseInterface, parseIpv4, parsePool } from '../../src/host/ipv4.ts';

test('addresses as text and as numbers', () => {
  for (const text of ['0.0.0.0', '10.0.0.1', '192.168.255.254', '255.255.255.255'])
    assert.equal(formatIpv4(parseIpv4(text) ?? -1), text);
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.a', ' 1.2.3.4', '::1', '1.2.3.4/8'])
    assert.equal(parseIpv4(text), undefined, text);
});

test('networks', () => {
  const { first, last } = networkOf(parseIpv4('192.168.7.77') ?? 0, 26);
  assert.deepEqual([first, last].map(formatIpv4), ['192.168.7.64', '192.168.7.127']);
  assert.deepEqual(Object.values(networkOf(0, 1)).map(formatIpv4), ['0.0.0.0', '127.255.255.255']);
});

test('an interface is an address of a host in its network', () => {
  assert.deepEqual(parseInterface('10.0.0.7/24'), { address: 0x0a000007, prefix: 24 });
  assert.deepEqual(parseInterface('10.0.0.0/31'), { address: 0x0a000000, prefix: 31 });
  assert.deepEqual(parseInterface('10.0.0.0/32'), { address: 0x0a000000, prefix: 32 });
  for (const text of [
    '10.0.0.0/24',
    '10.0.0.255/24',
    '10.0.0.7',
    '10.0.0.7/',
    '10.0.0.7/33',
    '10.0.0.7/0',
    'x/8',
  ])
    assert.equal(parseInterface(text), undefined, text);
});

test('a pool lies in one network, in order', () => {
  assert.deepEqual(parsePool('10.0.0.7-10.0.0.9/24'), { from: 0x0a000007, to: 0x0a000009, prefix: 24 });
  for (const text of [
    '10.0.0.9-10.0.0.7/24',
    '10.0.0.7-10.0.1.9/24',
    '10.0.0.7/24',
    '10.0.0.0-10.0.0.9/24',
    '-',
    'a-b/24',
  ])
    assert.equal(parsePool(text), undefined, text);
});
