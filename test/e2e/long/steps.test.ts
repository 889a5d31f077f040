// SPDX-License-Identifier: MIT
// The steps at which a call of the runtime can be killed. Without Xen, all of them are in
// test/runtime/crash.test.ts.
import { after, before, test } from 'node:test';
import { ensureRootfs } from '../bundle.ts';
import { assertClean, dom0, startsClean } from '../dom0.ts';
import { killedAt } from '../steps.ts';

startsClean();
before(async () => {
  await dom0();
  await ensureRootfs();
});
after(assertClean);

test('the runtime call is killed at each of its steps', () =>
  killedAt({
    create: [
      'create.begin',
      'disk.begin',
      'disk.end',
      'xl-create.begin',
      'xl-create.end',
      'monitor.ready',
      'create.end',
    ],
    start: ['start.begin', 'start.sent', 'program.start'],
    delete: ['delete.begin', 'monitor.exit'],
  }));
