// SPDX-License-Identifier: MIT
// Dom0's engines know vxn by what vxn-config has installed, and by nothing else.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dom0, mustSh, startsClean } from './dom0.ts';

startsClean();
before(() => dom0());

const TARGET = '/etc/vxn/dom0.yaml';

test('everything of the target is in Dom0, beside what Debian has configured', async () => {
  assert.equal(await mustSh(`vxn-config check / --target ${TARGET}`), '');
  const config = await mustSh('cat /etc/containerd/config.toml');
  assert.match(config, /bin_dir = "\/usr\/lib\/cni"/);
});

test('containerd, docker and podman know the runtime', async () => {
  const dump = await mustSh('containerd config dump');
  assert.match(dump, /containerd\.runtimes\.vxn\]\n(?:.*\n)*?\s+runtime_type = "io\.containerd\.vxn\.v2"/);
  await mustSh('dockerd --validate');
  const format = "'{{.Host.OCIRuntime.Path}}'";
  assert.equal(await mustSh(`podman --runtime vxn info --format ${format}`), '/usr/bin/vxn-oci-runtime\n');
});
