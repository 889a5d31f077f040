// SPDX-License-Identifier: MIT
// podman's networks (netavark, aardvark-dns) with containers that are domains.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { importImage } from '../../../lab/engines.ts';
import { assertClean, dom0, dom0Sh, IMAGE, mustSh, startsClean, waitFor } from '../dom0.ts';

const RUN = 'podman --runtime vxn run --annotation org.openembedded.vxn.memory=96';

startsClean();
before(async () => importImage(await dom0(), 'podman'));

after(async () => {
  await dom0Sh('podman rm -af -t 0; podman network rm -f vxnnet');
  await assertClean();
});

suite('side by side', { concurrency: 2 }, () => {
  test('the default network: an address, the way out, a published port', async () => {
    await mustSh(
      `${RUN} -d --name pub -p 8081:80 ${IMAGE} sh -c 'mkdir /www; echo podman >/www/index.html; ip -o -4 addr show eth0; httpd -f -h /www'`,
    );
    await waitFor('busybox wget -qO- http://127.0.0.1:8081/ | grep -q podman');
    const address = (await mustSh("podman inspect -f '{{.NetworkSettings.IPAddress}}' pub")).trim();
    assert.ok((await mustSh('podman logs pub')).includes(`inet ${address}/16`));
    await mustSh('podman rm -f -t 0 pub');
  });

  test('containers find each other by name on a network of their own', async () => {
    await mustSh('podman network create vxnnet');
    await mustSh(
      `${RUN} -d --name db --network vxnnet ${IMAGE} sh -c 'mkdir /www; echo found >/www/index.html; httpd -f -h /www'`,
    );
    const out = await mustSh(
      `${RUN} --rm --network vxnnet ${IMAGE} sh -c 'for i in 1 2 3 4 5; do wget -qO- http://db/ && break; sleep 1; done'`,
    );
    assert.equal(out, 'found\n');
  });
});
