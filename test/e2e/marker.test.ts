// SPDX-License-Identifier: MIT
// Marker guests on the real Xen: the lab's own images, which know nothing of vxn (lab/marker).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertClean, dom0, mustSh, startsClean, vctrRun } from './dom0.ts';

const FLAGS = ['guest-protocol=marker', 'memory=128'].flatMap((a) => [
  '--annotation',
  `org.openembedded.vxn.${a}`,
]);

const run = (id: string, script: string, flags: string[] = []) =>
  vctrRun(id, ['/bin/sh', '-c', script], [...FLAGS, ...flags]);

startsClean();
before(() => dom0());
after(assertClean);

test('what three guests at a time print, their statuses, and that each is a machine of its own', async () => {
  const script = 'cat /proc/sys/kernel/random/boot_id; ls -a / | grep -c vxn; exit 7';
  const [hello, seven, large] = await Promise.all([
    vctrRun('m-hello', ['/bin/echo', 'hello'], FLAGS),
    run('m-seven', script),
    run('m-large', 'seq 1 45000; cat /proc/sys/kernel/random/boot_id'),
  ]);
  assert.deepEqual(hello, { status: 0, stdout: 'hello\n', stderr: '' });
  assert.deepEqual([seven.status, seven.stderr], [7, '']);
  const [boot, ours] = seven.stdout.split('\n');
  assert.equal(ours, '0', 'nothing of ours is left in its root');
  assert.equal(large.status, 0);
  const lines = Array.from({ length: 45000 }, (_, i) => `${i + 1}\n`).join('');
  assert.equal(large.stdout.slice(0, lines.length), lines, '256 KiB intact');
  const outside = (await mustSh('cat /proc/sys/kernel/random/boot_id')).trim();
  assert.equal(new Set([boot, large.stdout.slice(lines.length).trim(), outside]).size, 3);
});
