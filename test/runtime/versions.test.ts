// SPDX-License-Identifier: MIT
// Programs of different versions meet: each is refused, and told what to do where it can be.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Control } from '../../src/channel/control.ts';
import { encodeFrame, Type } from '../../src/channel/protocol.ts';
import { request } from '../../src/channel/requests.ts';
import { Host } from '../fixtures/host.ts';

const host = new Host();

/** An agent that speaks that version only. It says so when the file that is given is made. */
function installAgent(at: Host, version: number): string {
  const sign = join(at.folder, 'booted');
  const hello = Buffer.alloc(21, 'k');
  hello.fill(0, 0, 20).writeUInt32LE(version, 0);
  const frame = join(at.folder, 'hello.frame');
  writeFileSync(frame, encodeFrame(0x8001, 0, hello));
  const script = `#!/bin/sh
while [ ! -e ${sign} ]; do sleep 0.1; done
cat ${frame} >&$2
exec sleep 1000
`;
  const agent = join(at.config.libexecDir, 'vxn-agent');
  rmSync(agent);
  writeFileSync(agent, script, { mode: 0o755 });
  return sign;
}

test('start refuses a guest of version 1 and says what to do', async () => {
  const old = new Host();
  const sign = installAgent(old, 1);
  const c = old.create('old', { bundle: old.script('true') });
  assert.equal(await c.created, 0, c.text('stderr'));
  writeFileSync(sign, '');
  const { status, stderr } = old.run(['start', 'old']);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^the guest's agent speaks version 1 of the protocol, version 2 is needed: install the initramfs of this vxn /,
  );
  assert.equal(await c.exit, 255);
  assert.equal(old.run(['delete', 'old']).status, 0);
  assert.deepEqual(await old.leftovers('old'), []);
});

// Numbers of version 1.
const OLD_KILL = encodeFrame(0x0041, 0);

test('a monitor drops frames that are none of its doors', async () => {
  const c = host.create('doors', { bundle: host.script('while :; do sleep 1; done') });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.equal(host.run(['start', 'doors']).status, 0);
  const places = host.domainPlaces('doors');
  for (const frame of [OLD_KILL, encodeFrame(Type.Stats, 1), encodeFrame(Type.Kill, 7)])
    assert.equal(request(places.requests, frame), true);
  for (const frame of [
    OLD_KILL,
    encodeFrame(Type.Kill, 0),
    encodeFrame(Type.Container, 1),
    encodeFrame(Type.Stats, 0),
    encodeFrame(Type.Credit, 2, Buffer.alloc(7)),
  ]) {
    const control = await Control.open(places.control);
    assert.ok(control !== undefined);
    await control.send(frame);
    assert.equal(await control.ended(10_000), true, frame.toString('hex'));
  }
  assert.equal(JSON.parse(host.run(['state', 'doors']).stdout).status, 'running');
  assert.equal(host.run(['kill', 'doors', 'KILL']).status, 0);
  assert.equal(await c.exit, 137);
  assert.equal(host.run(['delete', 'doors']).status, 0);
});
