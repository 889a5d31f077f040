// SPDX-License-Identifier: MIT
// The doctor on the lab's Dom0, which is in order. long/doctor.test.ts breaks it on purpose.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dom0, dom0Exec, startsClean } from './dom0.ts';

startsClean();
before(() => dom0());

test('a good Dom0: nothing failed, nothing to warn of', async () => {
  const { status, stdout, stderr } = await dom0Exec(['vxn-oci-runtime', 'doctor']);
  assert.deepEqual([status, stderr], [0, ''], stdout);
  assert.match(stdout, /^ok +xen +Xen 4\./m);
  assert.match(stdout, /^ok +guest-kernel +ELF \S+, can be a pv guest$/m);
  assert.match(stdout, /^ok +guest-match +\d+ modules, all for /m);
  assert.match(stdout, /^ok +helpers +vxn-monitor, .*: version /m);
  assert.match(stdout, /^ok +containerd +containerd 1\.7\.\S+ finds \/usr\/bin\/containerd-shim-vxn-v2$/m);
  assert.doesNotMatch(stdout, /^(failed|warning)/m);
  assert.match(stdout, /\n\d+ ok, 0 warnings, 0 failed, \d+ skipped\n$/);
});
