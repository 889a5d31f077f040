// SPDX-License-Identifier: MIT
// Debian's docker with its runtime from daemon.json.
import { after, before } from 'node:test';
import { startDocker } from '../../lab/engines.ts';
import { dom0, startsClean } from './dom0.ts';
import { engineTests, removeContainers } from './engine.ts';

startsClean();
before(async () => startDocker(await dom0()));
after(() => removeContainers('docker'));

// Whatever keeps an exec from starting is 126 to this docker.
engineTests({
  name: 'docker',
  run: 'docker run --runtime vxn',
  notFound: 127,
  notExecutable: 126,
  execNotFound: 126,
});
