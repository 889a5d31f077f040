// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { exists } from './exists.ts';
import { LAB_SOURCE, statePath } from './paths.ts';
import { ensureSysroot, sysrootVariables } from './sysroot.ts';

/** Compiles Dom0's exec server when its source has changed. Gives the path of the static binary. */
export async function ensureExecServer(): Promise<string> {
  const source = path.join(LAB_SOURCE, 'dom0/exec-server.c');
  const [compiler = '', ...flags] = sysrootVariables(await ensureSysroot()).CC.split(' ');
  const key = createHash('sha256')
    .update(await readFile(source))
    .update(flags.join(' '))
    .digest('hex');
  const binary = statePath('build', `exec-server-${key.slice(0, 12)}`);
  if (await exists(binary)) return binary;
  await mkdir(path.dirname(binary), { recursive: true });
  const work = `${binary}.${process.pid}`;
  await execa(compiler, [...flags, '-O2', '-Wall', '-Wextra', '-static', '-s', '-o', work, source]);
  await rename(work, binary);
  return binary;
}
