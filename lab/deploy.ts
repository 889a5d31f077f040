// SPDX-License-Identifier: MIT
// Puts vxn, as built from this tree, into the lab's Dom0, and imports the test image into its containerd.
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { buildInitramfs, ensureGuestKernel } from './guest.ts';
import { ensureImage } from './image.ts';
import type { Lab } from './lab.ts';
import { buildMarkerGuest } from './marker.ts';
import { buildOciImage, IMAGE } from './oci-image.ts';
import { REPOSITORY, statePath } from './paths.ts';
import { ensureSysroot, sysrootVariables } from './sysroot.ts';

// vxn-agent is here for marker guests: others have it in their initramfs.
const HELPERS = ['vxn-agent', 'vxn-block', 'vxn-monitor', 'vxn-seccomp', 'vxn-sendtty'] as const;
const STAMP = '/etc/vxn/deployed';

/** Settings of the lab; they lie in /etc/vxn/vxn.yaml of its Dom0. */
const SETTINGS = `# The lab's settings; every other key has its default.
kernel: /usr/share/vxn/x86_64/vmlinux
initramfs: /usr/share/vxn/x86_64/initramfs.cpio
markerKernel: /usr/share/vxn/x86_64/vmlinux
markerInitramfs: /usr/share/vxn/marker/initramfs.cpio
markerRootfs: /usr/share/vxn/marker/rootfs.img
annotations: [memory, maxmem, vcpus, maxvcpus, cpus, weight, cap, root-free, guest-protocol]
timelineDir: /var/lib/vxn/timelines
`;

async function buildNative(): Promise<string> {
  const { CC } = sysrootVariables(await ensureSysroot());
  // Beside the sources, not in the lab's state: two checkouts can share a lab.
  const build = path.join(REPOSITORY, 'native/build/dom0');
  await execa('make', ['-C', path.join(REPOSITORY, 'native'), `BUILD=${build}`, 'all', `CC=${CC}`], {
    stdout: 'ignore',
  });
  return build;
}

/** Builds everything that goes to Dom0 into a folder whose layout is Dom0's. */
export async function assemble(): Promise<string> {
  const tree = statePath('dom0-tree');
  await rm(tree, { recursive: true, force: true });
  const usr = path.join(tree, 'usr');
  await execa('node', ['scripts/build.mjs'], { cwd: REPOSITORY, stdout: 'ignore' });
  await cp(path.join(REPOSITORY, 'dist'), usr, { recursive: true, verbatimSymlinks: true });
  await rm(path.join(usr, 'package.json'));
  const native = await buildNative();
  for (const helper of HELPERS) {
    await copyFile(path.join(native, helper), path.join(usr, 'libexec/vxn', helper));
    await chmod(path.join(usr, 'libexec/vxn', helper), 0o755);
  }
  const share = path.join(usr, 'share/vxn/x86_64');
  await mkdir(share, { recursive: true });
  const image = await ensureImage();
  await copyFile((await ensureGuestKernel(image)).vmlinux, path.join(share, 'vmlinux'));
  await buildInitramfs({
    image,
    agent: path.join(native, 'vxn-agent'),
    out: path.join(share, 'initramfs.cpio'),
  });
  await buildMarkerGuest(path.join(usr, 'share/vxn/marker'), image);
  await mkdir(path.join(tree, 'etc/vxn'), { recursive: true });
  await writeFile(path.join(tree, 'etc/vxn/vxn.yaml'), SETTINGS);
  return tree;
}

async function digest(tree: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(tree, { recursive: true, withFileTypes: true })).sort((a, b) =>
    path.join(a.parentPath, a.name) < path.join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const file = path.join(entry.parentPath, entry.name);
    hash.update(`${path.relative(tree, file)}\0`);
    if (entry.isFile()) hash.update(await readFile(file));
    if (entry.isSymbolicLink()) hash.update(await readlink(file));
  }
  return hash.digest('hex');
}

/** Brings Dom0 up to date with this tree; quick when it is already. */
export async function deploy(lab: Lab, report: (phase: string) => void = () => {}): Promise<void> {
  report('building vxn');
  const tree = await assemble();
  const key = await digest(tree);
  const deployed = await lab.sh(`cat ${STAMP} 2>/dev/null`);
  if (deployed.stdout.toString().trim() !== key) {
    report('installing vxn in Dom0');
    await lab.push(tree, '/');
    const snapshot = await lab.exec(['/usr/libexec/vxn/vxn-snapshot']);
    if (snapshot.status !== 0) throw new Error(`vxn-snapshot: ${snapshot.stderr.toString()}`);
    await lab.pushFiles([{ path: STAMP, mode: 0o644, data: `${key}\n` }]);
  }
  const images = await lab.exec(['ctr', 'images', 'ls', '-q']);
  if (images.stdout.toString().split('\n').includes(IMAGE)) return;
  report('importing the test image');
  const result = await lab.exec(['ctr', 'images', 'import', '-'], { stdin: await buildOciImage() });
  if (result.status !== 0) throw new Error(`ctr images import: ${result.stderr.toString()}`);
}
