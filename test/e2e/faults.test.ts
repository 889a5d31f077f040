// SPDX-License-Identifier: MIT
// Everything that can go wrong, on purpose: a clear error or the right status, and nothing left.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { bundle, ensureRootfs, spec } from './bundle.ts';
import { assertClean, dom0, dom0Sh, IMAGE, mustSh, removeTask, startsClean, vctrRun } from './dom0.ts';
import { DIRECT, killedAt } from './steps.ts';

let lab: Lab;

startsClean();
before(async () => {
  lab = await dom0();
  await ensureRootfs();
});
after(assertClean);

suite('a fault is its container’s own, also with two others beside it', { concurrency: 3 }, () => {
  test('the guest kernel panics', async () => {
    const script = 'echo before; sleep 1; echo c >/proc/sysrq-trigger; sleep 60';
    const { status, stdout } = await vctrRun('panic', ['/bin/sh', '-c', script], ['--privileged']);
    assert.equal(stdout, 'before\n');
    assert.equal(status, 255);
  });

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

  test('the monitor is killed', async () => {
    await mustSh('vctr run -d "$IMAGE" orphan /bin/sleep 600');
    await mustSh('kill -9 "$(ctr task ls | awk \'$1 == "orphan" { print $2 }\')"');
    assert.equal(await removeTask('orphan'), 137);
  });

  test('the domain is destroyed by hand', async () => {
    await mustSh('vctr run -d "$IMAGE" byhand /bin/sleep 600');
    await mustSh('xl destroy "$(xl list | awk \'/^vxn-byhand/ { print $2 }\')"');
    assert.equal(await removeTask('byhand'), 255);
  });

  test('xl create fails: no memory left in Xen', async () => {
    const flags = ['--annotation', 'org.openembedded.vxn.memory=1000000'];
    const { status, stderr } = await vctrRun('toobig', ['/bin/true'], flags);
    assert.equal(status, 1);
    assert.match(stderr, /xl create failed: .*memory/i);
  });

  test('a guest that goes away while input comes in', async () => {
    const script = `yes | vctr run --rm ${IMAGE} hungry /bin/sh -c 'head -c 100000 >/dev/null; exit 3' >/dev/null; echo $?`;
    assert.equal((await mustSh(script)).trim(), '3');
  });

  test('a guest that is gone before the program starts says so, and its console is kept', async () => {
    const path = await bundle(lab, 'early', spec('true'));
    const run = `vxn-oci-runtime --root ${DIRECT}`;
    const script = `
    ${run} create --bundle ${path} early </dev/null >/dev/null 2>&1 || exit 9
    domid=$(xl list | awk '/^vxn-early/ { print $2 }'); xl trigger "$domid" nmi 2>/dev/null; xl destroy "$domid"
    ${run} start early; echo "start=$?" >&2; ${run} logs --console early | grep -c Linux; ${run} delete --force early`;
    const { stdout, stderr } = await dom0Sh(script);
    assert.match(stderr, /domain was destroyed from outside|guest/);
    assert.match(stderr, /start=1/);
    assert.ok(stdout.trim().length > 0);
  });
});

// One step of each verb, with Xen's part in it; the others are in long/steps.test.ts.
test('the runtime call is killed at one step of each verb', () =>
  killedAt({ create: ['xl-create.begin'], start: ['start.sent'], delete: ['delete.begin'] }));
