// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { labArch } from './arch.ts';
import { debianTree } from './debootstrap.ts';
import { exists } from './exists.ts';
import { withLock } from './lock.ts';
import { SUITE, SYSROOT_PACKAGES } from './packages.ts';
import { statePath } from './paths.ts';

/**
 * The make variables that compile native/ against Dom0's libraries. CFLAGS and LDFLAGS stay the
 * Makefile's own.
 */
export interface SysrootVariables {
  CC: string;
}

const RECIPE = 1;

/** Unpacks a sysroot of one of Debian's architectures into a new folder. */
export async function makeSysroot(directory: string, architecture: string): Promise<void> {
  await debianTree({ directory, architecture, packages: SYSROOT_PACKAGES, variant: 'extract' });
  // The package base-files would make these links, but an extracted tree lacks it.
  for (const name of ['lib', 'lib64']) {
    await symlink(`usr/${name}`, path.join(directory, name)).catch(ignoreExisting);
  }
}

/**
 * gcc's options for a sysroot. -B finds its crt1.o, and -L finds its archives. Without them gcc
 * takes the host's own libc.
 */
export function sysrootOptions(directory: string, triplet: string): string {
  const libraries = path.join(directory, 'usr/lib', triplet);
  const headers = path.join(directory, 'usr/include');
  return `--sysroot=${directory} -B${libraries}/ -L${libraries} -isystem ${headers}/${triplet} -isystem ${headers}`;
}

/** Makes the sysroot when it is missing. Gives its directory. */
export async function ensureSysroot(): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify([RECIPE, labArch.debian, SUITE, SYSROOT_PACKAGES]));
  const parent = statePath('sysroots');
  const directory = path.join(parent, `${labArch.debian}-${key.digest('hex').slice(0, 12)}`);
  if (await exists(directory)) return directory;
  return withLock('sysroot', async () => {
    if (await exists(directory)) return directory;
    await mkdir(parent, { recursive: true });
    const work = await mkdtemp(path.join(parent, 'tmp-'));
    try {
      const tree = path.join(work, 'tree');
      await makeSysroot(tree, labArch.debian);
      await rename(tree, directory);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return directory;
  });
}

/** The make variables for a sysroot made by {@link ensureSysroot}. */
export function sysrootVariables(directory: string): SysrootVariables {
  return { CC: `${labArch.triplet}-gcc ${sysrootOptions(directory, labArch.triplet)}` };
}

/** The make variables as words for a shell: `CC='...'`. */
export function shellWords(variables: SysrootVariables): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${String(value).replaceAll("'", "'\\''")}'`)
    .join(' ');
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
