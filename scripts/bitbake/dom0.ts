// SPDX-License-Identifier: MIT
// Puts the files that the recipes install into the lab's Dom0, and runs a container from them.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { deploy } from '../../lab/deploy.ts';
import { ensureImage, type Image } from '../../lab/image.ts';
import { ensureLab } from '../../lab/lab.ts';
import { IMAGE } from '../../lab/oci-image.ts';
import type { Machine } from './toolchain.ts';

/** Deploys Debian's kernel as a recipe would. It is Dom0's own, and guests boot it as well. */
export async function deployKernel(folder: string, machine: Machine): Promise<Image> {
  const image = await ensureImage();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tarball = join(folder, `modules-${machine.name}.tgz`);
  await execa('tar', ['czf', tarball, '-C', image.modules, 'lib']);
  return image;
}

/** Lays the installed files of the recipes into one folder with the layout of Dom0. */
export function assembleTree(tree: string, installed: readonly string[], image: Image): void {
  rmSync(tree, { recursive: true, force: true });
  for (const folder of installed) {
    if (!existsSync(folder)) throw new Error(`nothing is installed in ${folder}`);
    cpSync(folder, tree, { recursive: true, verbatimSymlinks: true });
  }
  cpSync(image.vmlinuz, join(tree, 'boot/bzImage'));
}

/**
 * Runs a container in a Dom0 that holds the tree. Gives the fault, or undefined when all is well.
 */
export async function runContainer(tree: string): Promise<string | undefined> {
  const lab = await ensureLab();
  process.env.VXN_TREE = tree;
  await deploy(lab);
  const script = 'echo "out of $(uname -s)"; echo "err" >&2; exit 7';
  const argv = ['vctr', 'run', '--rm', IMAGE, 'from-recipes', '/bin/sh', '-c', script];
  const { status, stdout, stderr } = await lab.exec(argv, { timeoutMs: 240_000 });
  const found = [status, stdout.toString(), stderr.toString()];
  return found[0] === 7 && found[1] === 'out of Linux\n' && /^err$/m.test(stderr.toString())
    ? undefined
    : `vctr gave ${JSON.stringify(found)}`;
}
