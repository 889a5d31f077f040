// SPDX-License-Identifier: MIT
// Puts vxn, built from this tree, into the lab's Dom0. Imports the test image into its containerd.
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { importImage } from './engines.ts';
import { buildInitramfs, ensureGuestKernel } from './guest.ts';
import { ensureImage } from './image.ts';
import type { Lab } from './lab.ts';
import { buildMarkerGuest } from './marker.ts';
import { REPOSITORY, statePath } from './paths.ts';
import { ensureSysroot, sysrootVariables } from './sysroot.ts';

const STAMP = '/etc/vxn/deployed';

/** The description of Dom0, in the repository and in Dom0. */
const TARGET = 'lab/dom0.yaml';
const INSTALLED_TARGET = '/etc/vxn/dom0.yaml';

/**
 * Builds the helpers and installs them into a tree, with the target of make that the Yocto recipe
 * calls.
 */
async function installNative(tree: string): Promise<void> {
  const { CC } = sysrootVariables(await ensureSysroot());
  // The build is beside the sources and not in the lab's state, because two checkouts can share a
  // lab.
  const build = path.join(REPOSITORY, 'native/build/dom0');
  const variables = [`BUILD=${build}`, `CC=${CC}`, `DESTDIR=${tree}`];
  await execa('make', ['-C', path.join(REPOSITORY, 'native'), 'install', ...variables], { stdout: 'ignore' });
}

/** Builds everything that goes to Dom0 into a folder whose layout is Dom0's. */
export async function assemble(): Promise<string> {
  const tree = statePath('dom0-tree');
  await rm(tree, { recursive: true, force: true });
  const usr = path.join(tree, 'usr');
  // The build does not go into dist/, because tests on this machine may use that.
  const dist = statePath('dist');
  await execa('node', ['scripts/build.mjs', '--target', `./${TARGET}`, '--out', dist], {
    cwd: REPOSITORY,
    stdout: 'ignore',
  });
  await cp(dist, usr, { recursive: true, verbatimSymlinks: true });
  await rm(path.join(usr, 'package.json'));
  await installNative(tree);
  const share = path.join(usr, 'share/vxn/x86_64');
  await mkdir(share, { recursive: true });
  const image = await ensureImage();
  await copyFile((await ensureGuestKernel(image)).vmlinux, path.join(share, 'vmlinux'));
  await buildInitramfs({
    image,
    agent: path.join(usr, 'libexec/vxn/vxn-agent'),
    out: path.join(share, 'initramfs.cpio'),
  });
  await buildMarkerGuest(path.join(usr, 'share/vxn/marker'), image);
  await mkdir(path.join(tree, 'etc/vxn'), { recursive: true });
  await copyFile(path.join(REPOSITORY, TARGET), path.join(tree, INSTALLED_TARGET));
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

async function must(lab: Lab, argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await lab.exec(argv);
  if (status !== 0) throw new Error(`${argv[0]}: ${stderr.toString()}`);
  return stdout.toString();
}

/** Tells the engines of Dom0 about vxn as an operator would. The configuration of Debian stays. */
async function configure(lab: Lab): Promise<void> {
  const install = ['vxn-config', 'install', '--target', INSTALLED_TARGET, '--force', '--json'];
  const { restart } = JSON.parse(await must(lab, install)) as { restart: string[] };
  if (restart.includes('containerd')) await must(lab, ['lab-containerd', 'restart']);
  if (restart.includes('docker')) await must(lab, ['lab-docker', 'try-restart']);
}

/**
 * Installs a tree that also holds the engines' configuration. The Yocto recipes install such trees.
 */
async function installWhole(lab: Lab, tree: string): Promise<void> {
  await lab.push(tree, '/');
  await must(lab, ['lab-containerd', 'restart']);
  await must(lab, ['lab-docker', 'try-restart']);
}

/**
 * Brings Dom0 up to date with this repository. $VXN_TREE may name a tree with the layout of Dom0
 * instead. It is quick when Dom0 is up to date already.
 */
export async function deploy(lab: Lab, report: (phase: string) => void = () => {}): Promise<void> {
  const given = process.env.VXN_TREE;
  if (given === undefined) report('building vxn');
  const tree = given ?? (await assemble());
  const key = await digest(tree);
  const deployed = await lab.sh(`cat ${STAMP} 2>/dev/null`);
  if (deployed.stdout.toString().trim() !== key) {
    report('installing vxn in Dom0');
    if (given === undefined) {
      await lab.push(tree, '/');
      await configure(lab);
    } else await installWhole(lab, given);
    await must(lab, ['/usr/libexec/vxn/vxn-snapshot']);
    await lab.pushFiles([{ path: STAMP, mode: 0o644, data: `${key}\n` }]);
  }
  await importImage(lab, 'ctr');
}
