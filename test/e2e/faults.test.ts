// SPDX-License-Identifier: MIT
// Everything that can go wrong, on purpose: a clear error or the right status, and nothing left.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { bundle, ensureRootfs, spec } from './bundle.ts';
import { assertClean, dom0, dom0Sh, mustSh, removeTask, startsClean, vctrRun } from './dom0.ts';
import { DIRECT } from './steps.ts';

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
