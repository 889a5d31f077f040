// SPDX-License-Identifier: MIT
// The faults that take long: guests that run out of something, and one whose reader goes.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { assertClean, dom0, IMAGE, mustSh, startsClean, vctrRun } from '../dom0.ts';

startsClean();
before(() => dom0());
after(assertClean);

suite('a fault is its container’s own, also with two others beside it', { concurrency: 3 }, () => {
  test('the guest runs out of memory', async () => {
    // One read fills it at the pace of the kernel: a program that grows by and by took three minutes here.
    const flags = ['--memory-limit', String(32 << 20)];
    const fill = ['/bin/dd', 'if=/dev/zero', 'of=/dev/null', 'bs=80M', 'count=1'];
    const { status } = await vctrRun('oom', fill, flags);
    assert.equal(status, 137);
  });

  test('the root disk fills', async () => {
    const flags = ['--annotation', 'org.openembedded.vxn.root-free=8'];
    const { status, stderr } = await vctrRun('full', ['/bin/sh', '-c', 'cat /dev/zero >/fill'], flags);
    assert.equal(status, 1);
    assert.match(stderr, /No space left on device/);
  });

  test('a guest that goes away while input comes in', async () => {
    const script = `yes | vctr run --rm ${IMAGE} hungry /bin/sh -c 'head -c 100000 >/dev/null; exit 3' >/dev/null; echo $?`;
    assert.equal((await mustSh(script)).trim(), '3');
  });
});
