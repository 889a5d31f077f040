// SPDX-License-Identifier: MIT
// Containers in the background: signals, statuses, containerd coming and going.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertClean, dom0, mustSh, removeTask, runtime, startsClean, waitFor } from './dom0.ts';

startsClean();
before(() => dom0());
after(assertClean);

const TRAP = "trap 'echo caught; exit 42' TERM; echo ready; while :; do sleep 1; done";

/** Starts a container in the background and waits for its first line. */
async function detached(id: string, script: string): Promise<void> {
  await mustSh(`vctr run -d --log-uri file:///tmp/${id}.log "$IMAGE" ${id} /bin/sh -c "$S"`, {
    env: { S: script },
  });
  await waitFor(`grep -q ready /tmp/${id}.log`);
}

test('state, list and logs while it runs; SIGKILL gives 137 and leaves nothing', async () => {
  await detached('look', 'echo ready; echo out; echo err >&2; sleep 600');
  const state = JSON.parse((await runtime('state', 'look')).stdout) as Record<string, unknown>;
  assert.equal(state.status, 'running');
  assert.equal(state.id, 'look');
  const { stdout: list } = await runtime('list', '-q');
  assert.equal(list, 'look\n');
  await waitFor('vxn-oci-runtime --root "$ROOT" logs look 2>&1 | grep -q err');
  const logs = await runtime('logs', 'look');
  assert.deepEqual(logs, { status: 0, stdout: 'ready\nout\n', stderr: 'err\n' });
  await mustSh('vctr task kill -s SIGKILL look');
  assert.equal(await removeTask('look'), 137);
  await assertClean();
});

test('containerd is restarted while a container runs; SIGTERM reaches a trap then, and the status comes back', async () => {
  await detached('survivor', TRAP);
  await mustSh('lab-containerd restart');
  assert.match(await mustSh('ctr task ls'), /^survivor\s+\d+\s+RUNNING/m);
  await mustSh('vctr task kill -s SIGTERM survivor');
  assert.equal(await removeTask('survivor'), 42);
  assert.match(await mustSh('cat /tmp/survivor.log'), /caught/);
  await assertClean();
});
