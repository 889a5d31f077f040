// SPDX-License-Identifier: MIT
// Checks at create whether the program exists. podman expects the reason there, and no domain has
// to boot first.
import { VxnError } from '../host/errors.ts';
import { lookInRoot } from '../host/resolve-in-root.ts';
import type { Process, Spec } from '../spec/spec.ts';

// PATH and the root come from the image, and each look may follow long links.
const LOOKS_MAX = 64;
const LOOKING_MS = 1000;

type Found = 'program' | 'forbidden' | 'missing' | 'unknown';

function look(rootfs: string, path: string, mounted: readonly string[]): Found {
  const st = lookInRoot(rootfs, path, mounted);
  if (st === undefined) return 'missing';
  if (st === 'unknown') return 'unknown';
  return st.isFile() && (st.mode & 0o111) !== 0 ? 'program' : 'forbidden';
}

function pathOf({ env }: Process): string[] | undefined {
  return env
    .find((variable) => variable.startsWith('PATH='))
    ?.slice('PATH='.length)
    .split(':');
}

/** The first program in the folders of a PATH, 'unknown' when there are too many to look at them all. */
function lookInFolders(folders: readonly string[], lookIn: (folder: string) => Found): Found {
  const deadline = performance.now() + LOOKING_MS;
  for (const [i, folder] of folders.entries()) {
    if (i === LOOKS_MAX || performance.now() > deadline) return 'unknown';
    const found = lookIn(folder);
    if (found === 'program' || found === 'unknown') return found;
  }
  return 'missing';
}

const refusal = (name: string, why: string): VxnError =>
  new VxnError('GUEST', `exec: ${JSON.stringify(name)}: ${why}`);

/**
 * Throws GUEST, in the words that engines look for, when the program certainly does not exist or
 * cannot be executed. Files below a mount, rights that depend on the user, and the rest of a PATH
 * that takes too long are left to the guest. It checks again at start.
 */
export function checkProgram(spec: Spec, process: Process, rootfs: string): void {
  const [name = ''] = process.args;
  const mounted = spec.mounts.map((mount) => mount.destination);
  const absolute = (folder: string, file: string): string =>
    folder.startsWith('/') ? `${folder}/${file}` : `${process.cwd}/${folder}/${file}`;
  if (name.includes('/')) {
    const found = look(rootfs, name.startsWith('/') ? name : absolute(process.cwd, name), mounted);
    if (found === 'missing') throw refusal(name, `stat ${name}: no such file or directory`);
    if (found === 'forbidden') throw refusal(name, 'permission denied');
    return;
  }
  const found = lookInFolders(pathOf(process) ?? [], (folder) =>
    look(rootfs, absolute(folder, name), mounted),
  );
  if (found === 'missing') throw refusal(name, 'executable file not found in $PATH');
}
