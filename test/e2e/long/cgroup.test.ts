// SPDX-License-Identifier: MIT
// The forms of linux.cgroupsPath in Dom0. Without Xen, they are in test/runtime/cgroup.test.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundle, ensureRootfs, keysAndValues, spec } from '../bundle.ts';
import { assertClean, dom0, mustSh, startsClean } from '../dom0.ts';

startsClean();
before(async () => {
  await dom0();
  await ensureRootfs();
});
after(assertClean);

test('slice:prefix:name, and none at all', async () => {
  const lab = await dom0();
  const config = spec('sleep 1000');
  Object.assign(config.linux, { cgroupsPath: 'vxntest-pod1.slice:cri:abc' });
  const slice = await bundle(lab, 'cgroup-slice', config);
  const none = await bundle(lab, 'cgroup-none', spec('sleep 1000'));
  const script = `
    R="vxn-oci-runtime --root /run/vxn-test-cgroup"; cd /sys/fs/cgroup
    $R create --bundle ${slice} --pid-file /tmp/vxn.pid slice </dev/null >/dev/null 2>/tmp/vxn.err || { cat /tmp/vxn.err; exit 1; }; echo "slice=$(cut -d: -f3 /proc/$(cat /tmp/vxn.pid)/cgroup)"
    $R create --bundle ${none} --pid-file /tmp/vxn.pid none </dev/null >/dev/null 2>/tmp/vxn.err || { cat /tmp/vxn.err; exit 1; }; echo "none=$(cut -d: -f3 /proc/$(cat /tmp/vxn.pid)/cgroup)"
    $R delete --force slice; $R delete --force none; echo "left=$(ls -d vxntest* vxn 2>/dev/null | wc -l)"`;
  const f = keysAndValues(await mustSh(script));
  assert.equal(f.slice, '/vxntest.slice/vxntest-pod1.slice/cri-abc.scope');
  assert.match(f.none ?? '', /^\/vxn\/vxn-none-[0-9a-f]{16}$/);
  assert.equal(f.left, '0');
});
