// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Config, DEFAULTS } from '../../src/config/config.ts';
import { giveBackAddress, takeAddress } from '../../src/domain/bridge.ts';
import type { Network, NetworkPlan } from '../../src/domain/network.ts';
import { planNetwork } from '../../src/domain/plan-network.ts';
import { VxnError } from '../../src/host/errors.ts';
import { Annotations } from '../../src/spec/annotations.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const UUID = 'f1234567-0000-4000-8000-000000000000';

function plan(
  annotations: Record<string, string>,
  config: Partial<Config> = {},
  hasNamespace = true,
): Promise<NetworkPlan> {
  const ours = Object.entries(annotations).map(([k, v]) => [`org.openembedded.vxn.network-${k}`, v]);
  const read = Annotations.read(Object.fromEntries(ours), ['*']);
  return planNetwork(read, hasNamespace, { ...DEFAULTS, ...config }, UUID);
}

const refuses = (promise: Promise<unknown>, code: string, text: RegExp): Promise<void> =>
  assert.rejects(
    promise,
    (error) => error instanceof VxnError && error.code === code && text.test(error.line),
  );

test('the namespace is the network, unless something else is said', async () => {
  assert.deepEqual(await plan({}), { mode: 'namespace', candidates: [] });
  assert.equal((await plan({}, { networkMode: 'none' })).mode, 'none');
  assert.equal((await plan({ mode: 'none' })).mode, 'none');
  assert.equal((await plan({ mode: 'namespace' }, { networkMode: 'bridge' })).mode, 'namespace');
  assert.equal((await plan({ mode: 'bridge' })).mode, 'bridge');
});

test("the settings' bridge is for what the engine leaves alone", async () => {
  const { mode, bridge, mac, candidates } = await plan({}, { networkMode: 'bridge', bridge: 'br7' });
  assert.deepEqual([mode, bridge, mac, candidates], ['either', 'br7', '00:16:3e:71:23:45', []]);
});

test("the host's network is refused, whoever asks for it", async () => {
  const text = /host's network namespace cannot be shared .*--network host/;
  await refuses(plan({ mode: 'host' }), 'UNSUPPORTED', text);
  await refuses(plan({}, {}, false), 'UNSUPPORTED', text);
  await refuses(plan({}, { networkMode: 'bridge' }, false), 'UNSUPPORTED', text);
  await refuses(plan({ mode: 'namespace' }, {}, false), 'UNSUPPORTED', text);
  assert.equal((await plan({ mode: 'bridge' }, {}, false)).mode, 'bridge');
  assert.equal((await plan({ mode: 'none' }, {}, false)).mode, 'none');
});

test('addresses: the annotation, else the pool without its gateway, else DHCP', async () => {
  const pool = { bridgeAddresses: '10.0.0.1-10.0.0.3/24', bridgeGateway: '10.0.0.1' };
  const all = await plan({ mode: 'bridge' }, pool);
  assert.deepEqual(
    all.candidates.map((c) => c.address & 0xff),
    [2, 3],
  );
  assert.equal(all.gateway, '10.0.0.1');
  assert.deepEqual((await plan({ mode: 'bridge', address: 'dhcp' }, pool)).candidates, []);
  const own = await plan({ mode: 'bridge', address: '10.9.0.7/16', gateway: '10.9.1.1' }, pool);
  assert.deepEqual(own.candidates, [{ address: 0x0a090007, prefix: 16 }]);
  await refuses(
    plan({ mode: 'bridge', address: '10.9.0.7/24', gateway: '10.9.1.1' }),
    'INVALID_SPEC',
    /gateway 10\.9\.1\.1 is not in the network of 10\.9\.0\.7\/24/,
  );
});

// What create and delete do with the leases of a folder of their own.
function store(runDir: string) {
  const config = { ...DEFAULTS, runDir, bridgeAddresses: '10.0.0.1-10.0.0.2/24' };
  const take = async (id: string, annotations: Record<string, string> = {}): Promise<Network | undefined> => {
    let stored: Network | undefined;
    const wanted = await plan({ mode: 'bridge', ...annotations }, config);
    takeAddress(wanted, config, { uuid: id, id }, (network) => {
      stored = network;
    });
    return stored;
  };
  const drop = (network: Network | undefined, id: string): void => {
    if (network !== undefined) giveBackAddress(network, config, { uuid: id, id });
  };
  return { take, drop, left: () => readdirSync(join(runDir, 'leases')) };
}

test('each container has an address of its own, and gives it back', async () => {
  const { take, drop, left } = store(temporaryFolder());
  const [a, b] = [await take('a'), await take('b')];
  assert.deepEqual([a?.address, b?.address], ['10.0.0.1/24', '10.0.0.2/24']);
  await refuses(take('c'), 'NETWORK', /no address of 10\.0\.0\.1-10\.0\.0\.2\/24 is left for xenbr0/);
  drop(b, 'somebody else');
  assert.deepEqual(left().sort(), ['xenbr0_10.0.0.1', 'xenbr0_10.0.0.2']);
  drop(a, 'a');
  drop(a, 'a');
  assert.equal((await take('c'))?.address, '10.0.0.1/24');
  drop(b, 'b');
  drop({ mode: 'bridge', bridge: 'xenbr0', address: '10.0.0.1/24' }, 'c');
  assert.deepEqual(left(), []);
});

test('an occupied address is refused, with whose it is', async () => {
  const { take } = store(temporaryFolder());
  await take('first', { address: '10.0.0.9/24' });
  await refuses(
    take('second', { address: '10.0.0.9/24' }),
    'NETWORK',
    /address 10\.0\.0\.9 of xenbr0 is in use by container first/,
  );
});

test('annotations that are none', () => {
  const read = (name: string, value: string): Annotations =>
    Annotations.read({ [`org.openembedded.vxn.network-${name}`]: value }, ['*']);
  for (const [name, value] of [
    ['mode', 'nat'],
    ['bridge', 'a/b'],
    ['bridge', '-'.repeat(16)],
    ['address', '10.0.0.1'],
    ['address', '10.0.0.0/24'],
    ['gateway', 'router'],
  ] as const)
    throwsVxn(() => read(name, value), 'INVALID_SPEC', `network-${name} must be`);
});
