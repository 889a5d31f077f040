// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tag } from '../../src/channel/protocol.ts';
import { describeNetwork, loopbackNameServers } from '../../src/domain/network-request.ts';
import type { Mount } from '../../src/spec/spec.ts';
import { readRecords, valuesOf } from '../fixtures/records.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const hex = (values: Buffer[]): string[] => values.map((v) => v.toString('hex'));

test('name servers on the loopback, each once', () => {
  const text = `# a comment\nsearch x\nnameserver 127.0.0.11\n nameserver 127.0.0.11\nnameserver 8.8.8.8
nameserver ::1\nnameserver 127.0.0.256\nnameserver 127.1\noptions ndots:0\nnameserver fe80::1%eth0\n`;
  assert.deepEqual(hex(loopbackNameServers(text)), ['7f00000b', '00000000000000000000000000000001']);
  const many = Array.from({ length: 9 }, (_, i) => `nameserver 127.0.0.${i}`).join('\n');
  assert.equal(loopbackNameServers(many).length, 4);
});

test('the resolv.conf that counts is the last mount there', () => {
  const folder = temporaryFolder();
  const file = (name: string, data: string): Mount => {
    writeFileSync(join(folder, name), data);
    return { destination: '/etc/resolv.conf', type: 'bind', source: join(folder, name), options: [] };
  };
  const mounts = [file('a', 'nameserver 127.0.0.1\n'), file('b', 'nameserver 127.0.0.2\n')];
  const payload = describeNetwork({ mode: 'namespace' }, { mounts });
  assert.deepEqual(readRecords(payload), [
    [Tag.JoinMode, Buffer.from([1, 0, 0, 0])],
    [Tag.JoinResolver, Buffer.from([127, 0, 0, 2])],
  ]);
  const folderMount = { destination: '/etc/resolv.conf', type: 'bind', source: folder, options: [] };
  assert.deepEqual(valuesOf(describeNetwork(undefined, { mounts: [folderMount] }), Tag.JoinResolver), []);
});

test('a bridge with and without an address', () => {
  const network = { mode: 'bridge', bridge: 'xenbr0', mac: '00:16:3e:01:02:ff' } as const;
  assert.deepEqual(readRecords(describeNetwork(network, { mounts: [] })), [
    [Tag.JoinMode, Buffer.from([2, 0, 0, 0])],
    [Tag.JoinBridge, Buffer.from('xenbr0')],
    [Tag.JoinMac, Buffer.from([0, 0x16, 0x3e, 1, 2, 0xff])],
  ]);
  const fixed = describeNetwork({ ...network, address: '10.0.0.7/24', gateway: '10.0.0.1' }, { mounts: [] });
  assert.deepEqual(valuesOf(fixed, Tag.JoinAddress), [Buffer.from([10, 0, 0, 7, 24])]);
  assert.deepEqual(valuesOf(fixed, Tag.JoinGateway), [Buffer.from([10, 0, 0, 1])]);
});
