// SPDX-License-Identifier: MIT
// A race in the guest: its kernel tells of a processor shortly before it can be used. That it is too early shows in one case out
// of ten, so that the case is made again and again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertClean, dom0, mustSh, removeTask, runtime, startsClean, waitFor } from '../dom0.ts';

const ROUNDS = 6;
const LOG = '/tmp/processors.log';

startsClean();
before(() => dom0());
after(assertClean);

test('update: a processor that goes and comes, again and again', async () => {
  await mustSh(`vctr run -d --log-uri file://${LOG} --cpus 1.5 $IMAGE processors \
    /bin/sh -c 'while :; do echo "seen $(nproc)"; sleep 0.3; done'`);
  for (let round = 0; round < ROUNDS; round++)
    for (const quota of ['50000', '200000']) {
      const outcome = await runtime('update', '--cpu-quota', quota, 'processors');
      assert.deepEqual(outcome, { status: 0, stdout: '', stderr: '' });
    }
  await mustSh(`echo changed >>${LOG}`);
  await waitFor(`[ "$(sed '1,/changed/d' ${LOG} | grep -c seen)" -gt 1 ]`);
  assert.equal(await mustSh(`tail -n 1 ${LOG}; rm ${LOG}`), 'seen 2\n');
  assert.doesNotMatch((await runtime('logs', '--console', 'processors')).stdout, /vxn-agent:.*\/online/);
  await mustSh('ctr task kill -s KILL processors');
  assert.equal(await removeTask('processors'), 137);
});
