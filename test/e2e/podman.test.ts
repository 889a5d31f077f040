// SPDX-License-Identifier: MIT
// Debian's podman with its runtime from containers.conf.d.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildOciImage } from '../../lab/oci-image.ts';
import { dom0, dom0Sh, IMAGE, mustSh } from './dom0.ts';
import { engineTests } from './engine.ts';

before(async () => {
  await dom0();
  await mustSh('podman load', { stdin: await buildOciImage() });
});

after(async () => {
  await dom0Sh('podman rm -fa');
});

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
