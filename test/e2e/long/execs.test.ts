// SPDX-License-Identifier: MIT
// Many processes at once in one machine. Without Xen: test/runtime/exec.test.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertClean, dom0, mustSh, removeTask, startsClean } from '../dom0.ts';

startsClean();
before(async () => {
  await dom0();
  await mustSh('vctr run -d $IMAGE crowded /bin/sleep 3600');
});
after(async () => {
  await mustSh('ctr task kill -s KILL crowded');
  await removeTask('crowded');
  await assertClean();
});

test('20 at once', async () => {
  const out = await mustSh(`
    for i in $(seq 20); do
      { ctr task exec --exec-id many$i crowded /bin/sh -c "echo from $i; exit $i" >/tmp/many$i 2>&1; echo "$? $(cat /tmp/many$i)" >/tmp/many$i.result; } &
    done
    wait; for i in $(seq 20); do cat /tmp/many$i.result; rm /tmp/many$i /tmp/many$i.result; done`);
  assert.equal(out, Array.from({ length: 20 }, (_, i) => `${i + 1} from ${i + 1}\n`).join(''));
});
