// SPDX-License-Identifier: MIT
// Debian's docker with its runtime from daemon.json.
import { after, before } from 'node:test';
import { buildOciImage } from '../../lab/oci-image.ts';
import { dom0, dom0Sh, mustSh, waitFor } from './dom0.ts';
import { engineTests } from './engine.ts';

before(async () => {
  await dom0();
  await mustSh('pgrep -x dockerd >/dev/null || setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &');
  await waitFor('docker info >/dev/null 2>&1');
  await mustSh('docker load', { stdin: await buildOciImage() });
});

after(async () => {
  await dom0Sh('docker rm -f $(docker ps -aq); pkill -x dockerd; while pgrep -x dockerd; do sleep 0.2; done');
});

// Whatever keeps an exec from starting is 126 to this docker.
engineTests({
  name: 'docker',
  run: 'docker run --runtime vxn',
  notFound: 127,
  notExecutable: 126,
  execNotFound: 126,
});
