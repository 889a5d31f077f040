// SPDX-License-Identifier: MIT
// The shipped doctor, on a machine that is no Dom0.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';

const host = new Host();

test('doctor says what is missing here, with status 1', () => {
  const { status, stdout, stderr } = host.run(['doctor']);
  assert.equal(status, 1);
  assert.match(stderr, /^failed: xen, .*guest-kernel.*\n$/);
  assert.match(stdout, /^failed +xen +this kernel does not run on Xen\n +-> choose the boot entry/m);
  assert.match(stdout, /^skipped +xl +dom0 comes first$/m);
  assert.match(stdout, /^ok +root +running as root$/m);
  assert.match(stdout, /^ok +mke2fs +mke2fs 1\./m);
});

test('doctor --json', () => {
  const { status, stdout } = host.run(['doctor', '--json']);
  assert.equal(status, 1);
  const { version, failed, checks } = JSON.parse(stdout);
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.equal(checks.filter((c: { status: string }) => c.status === 'failed').length, failed);
});

test('doctor and features work with settings that are broken', () => {
  const file = join(host.folder, 'broken.json');
  writeFileSync(file, '{ "memroy": 1 }');
  const env = { VXN_CONFIG: file };
  const { stdout } = host.run(['doctor'], { env });
  assert.match(stdout, /^failed +settings +.*broken\.json: unknown key "memroy"\n/m);
  assert.equal(host.run(['features'], { env }).status, 0);
  assert.equal(host.run(['list'], { env }).status, 1);
});

test('the helpers say the version of the runtime', () => {
  const { checks } = JSON.parse(host.run(['doctor', '--json']).stdout);
  const { summary } = checks.find((c: { id: string }) => c.id === 'helpers');
  assert.doesNotMatch(summary, /vxn-sendtty is version|vxn-monitor is version/);
});
