// SPDX-License-Identifier: MIT
// A small guest for the tests that speaks the marker protocol (docs/marker-guests.md). It consists
// of busybox and two scripts.
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { type CpioEntry, cpio } from './cpio.ts';
import { exists } from './exists.ts';
import { moduleEntries } from './guest.ts';
import { ensureImage, type Image } from './image.ts';
import { REPOSITORY, statePath } from './paths.ts';

const BUSYBOX = '/bin/busybox';
const SCRIPTS = path.join(REPOSITORY, 'lab/marker');
const FOLDERS = ['bin', 'sbin', 'dev', 'proc', 'sys', 'tmp', 'mnt', 'root'];

const folder = (name: string): CpioEntry => ({ type: 'directory', path: name, mode: 0o755 });

async function initramfs(image: Image): Promise<Buffer> {
  const file = async (name: string, from: string): Promise<CpioEntry> => ({
    type: 'file',
    path: name,
    mode: 0o755,
    data: await readFile(from),
  });
  return cpio([
    ...[...FOLDERS, 'lib', 'lib/vxn', 'lib/vxn/modules'].map(folder),
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    await file('bin/busybox', BUSYBOX),
    await file('init', path.join(SCRIPTS, 'init')),
    ...(await moduleEntries(image)),
  ]);
}

// The root to which the initramfs switches. An ext4 image differs each time it is made, so it is
// kept.
async function ensureRootImage(): Promise<string> {
  const script = path.join(SCRIPTS, 'vxn-init.sh');
  const hash = createHash('sha256');
  for (const file of [BUSYBOX, script]) hash.update(await readFile(file));
  const image = statePath('marker', `${hash.digest('hex').slice(0, 16)}.img`);
  if (await exists(image)) return image;
  await mkdir(path.dirname(image), { recursive: true });
  const root = await mkdtemp(`${image}.`);
  try {
    await chmod(root, 0o755);
    for (const name of FOLDERS) await mkdir(path.join(root, name));
    await copyFile(BUSYBOX, path.join(root, 'bin/busybox'));
    const { stdout } = await execa(BUSYBOX, ['--list']);
    for (const applet of stdout.split('\n')) {
      if (applet !== '' && applet !== 'busybox') await symlink('busybox', path.join(root, 'bin', applet));
    }
    await copyFile(script, path.join(root, 'vxn-init.sh'));
    await chmod(path.join(root, 'vxn-init.sh'), 0o755);
    const work = `${root}.new`;
    await execa('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-d', root, work, '8M'], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    await rename(work, image);
    return image;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Writes the guest's initramfs.cpio and rootfs.img into a folder. */
export async function buildMarkerGuest(to: string, from?: Image): Promise<void> {
  await mkdir(to, { recursive: true });
  await writeFile(path.join(to, 'initramfs.cpio'), await initramfs(from ?? (await ensureImage())));
  await copyFile(await ensureRootImage(), path.join(to, 'rootfs.img'));
}
