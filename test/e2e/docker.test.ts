// SPDX-License-Identifier: MIT
// Debian's docker with its runtime from daemon.json.
import { after, before } from 'node:test';
import { dom0 } from './dom0.ts';
import { engineTests, startDocker, stopDocker } from './engine.ts';

before(async () => {
  await dom0();
  await startDocker();
});
after(() => stopDocker());

// Whatever keeps an exec from starting is 126 to this docker.
engineTests({
  name: 'docker',
  run: 'docker run --runtime vxn',
  notFound: 127,
  notExecutable: 126,
  execNotFound: 126,
});
