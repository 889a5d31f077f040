// SPDX-License-Identifier: MIT
// As many containers at once as the lab has memory for; network.test.ts has a few of them.
import { after, before, test } from 'node:test';
import { crowd } from '../crowd.ts';
import { assertClean, dom0, mustSh, startsClean } from '../dom0.ts';
import { BRIDGE, SWEEP } from '../netns.ts';

startsClean();
before(async () => {
  await dom0();
  await mustSh(BRIDGE);
});
after(async () => {
  await mustSh(SWEEP);
  await assertClean();
});

test('twenty at once on one network: all reachable, each its output and status, nothing left', () =>
  crowd(20));
