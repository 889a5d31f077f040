// SPDX-License-Identifier: MIT
// What the recipes install, in the lab's Dom0, where a container runs from it.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { deploy } from '../../lab/deploy.ts';
import { ensureImage, type Image } from '../../lab/image.ts';
import { ensureLab } from '../../lab/lab.ts';
import { IMAGE } from '../../lab/oci-image.ts';
import type { Machine } from './toolchain.ts';

/** Debian's kernel as if a recipe had deployed it: Dom0's own, which guests boot as well. */
export async function deployKernel(folder: string, machine: Machine): Promise<Image> {
  const image = await ensureImage();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tarball = join(folder, `modules-${machine.name}.tgz`);
  await execa('tar', ['czf', tarball, '-C', image.modules, 'lib']);
  return image;
}

/** Lays what the recipes have installed into one folder whose layout is Dom0's. */
export function assembleTree(tree: string, installed: readonly string[], image: Image): void {
  rmSync(tree, { recursive: true, force: true });
  for (const folder of installed) {
    if (!existsSync(folder)) throw new Error(`nothing is installed in ${folder}`);
    cpSync(folder, tree, { recursive: true, verbatimSymlinks: true });
  }
  cpSync(image.vmlinuz, join(tree, 'boot/bzImage'));
}

/** Runs a container in a Dom0 that holds the tree. Gives back what is wrong; nothing if all is well. */
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
