// SPDX-License-Identifier: MIT
// A small OCI image (image-spec, image layout). It is built from the host's static busybox.
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

const BUSYBOX = '/bin/busybox';

/** The name of the image after `ctr images import`. */
export const IMAGE = 'docker.io/library/busybox:vxn';

async function makeRootfs(root: string): Promise<void> {
  for (const dir of ['bin', 'etc', 'root', 'home', 'proc', 'sys', 'dev', 'var', 'usr/bin']) {
    await mkdir(path.join(root, dir), { recursive: true });
  }
  await mkdir(path.join(root, 'tmp'));
  await chmod(path.join(root, 'tmp'), 0o1777);
  await copyFile(BUSYBOX, path.join(root, 'bin/busybox'));
  await chmod(path.join(root, 'bin/busybox'), 0o755);
  const { stdout } = await execa(BUSYBOX, ['--list']);
  for (const applet of stdout.split('\n')) {
    if (applet !== '' && applet !== 'busybox') await symlink('busybox', path.join(root, 'bin', applet));
  }
  const users = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n';
  await writeFile(path.join(root, 'etc/passwd'), users);
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await writeFile(path.join(root, 'etc/not-executable'), 'text\n');
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

async function blob(layout: string, mediaType: string, data: Buffer): Promise<Descriptor> {
  const hex = createHash('sha256').update(data).digest('hex');
  await writeFile(path.join(layout, 'blobs/sha256', hex), data);
  return { mediaType, digest: `sha256:${hex}`, size: data.length };
}

/**
 * Builds the image as a tar archive of an OCI layout, as `ctr images import`, `docker load` and
 * `podman load` take it.
 */
export async function buildOciImage(): Promise<Buffer> {
  const work = await mkdtemp(path.join(tmpdir(), 'vxn-image-'));
  try {
    const [root, layout] = [path.join(work, 'root'), path.join(work, 'layout')];
    await mkdir(root);
    await makeRootfs(root);
    await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
    const tar = [
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--sort=name',
      '--mtime=@0',
      '-C',
      root,
      '-c',
      '.',
    ];
    const { stdout } = await execa('tar', tar, { encoding: 'buffer' });
    const data = Buffer.from(stdout);
    const type = 'application/vnd.oci.image';
    const layer = await blob(layout, `${type}.layer.v1.tar`, data);
    const config = {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin:/usr/bin'], Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    };
    const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
    const manifest = {
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: await blob(layout, `${type}.config.v1+json`, json(config)),
      layers: [layer],
    };
    const descriptor = await blob(layout, manifest.mediaType, json(manifest));
    const annotations = { 'io.containerd.image.name': IMAGE, 'org.opencontainers.image.ref.name': 'vxn' };
    const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
    await writeFile(path.join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
    await writeFile(path.join(layout, 'index.json'), json(index));
    // `docker load` needs this older form of the same.
    const place = ({ digest }: Descriptor): string => `blobs/${digest.replace(':', '/')}`;
    const tagged = { Config: place(manifest.config), RepoTags: [IMAGE], Layers: [place(layer)] };
    await writeFile(path.join(layout, 'manifest.json'), json([tagged]));
    const archive = await execa('tar', ['-C', layout, '-c', '.'], { encoding: 'buffer' });
    return Buffer.from(archive.stdout);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
