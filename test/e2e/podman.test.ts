// SPDX-License-Identifier: MIT
// Debian's podman with its runtime from containers.conf.d.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { importImage } from '../../lab/engines.ts';
import { dom0, IMAGE, mustSh, startsClean } from './dom0.ts';
import { engineTests, removeContainers } from './engine.ts';

startsClean();
before(async () => importImage(await dom0(), 'podman'));
after(() => removeContainers('podman'));

engineTests({
  name: 'podman',
  run: 'podman --runtime vxn run',
  notFound: 127,
  notExecutable: 126,
  execNotFound: 127,
});

test('podman events tells the life of a container', async () => {
  const script = `
    since=$(date +%s)
    podman --runtime vxn run --rm --network none --name told ${IMAGE} true
    podman events --stream=false --since "$since" --filter container=told --format '{{.Status}}' | tr '\\n' ' '`;
  const events = await mustSh(script);
  for (const event of ['create', 'start', 'died', 'remove'])
    assert.match(events, new RegExp(`\\b${event}\\b`));
});
