// SPDX-License-Identifier: MIT
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CpioEntry, cpio } from './cpio.ts';
import { exists } from './exists.ts';
import { ensureImage, type Image } from './image.ts';
import { withLock } from './lock.ts';
import { moduleFiles, moduleName, readModule } from './modules.ts';
import { statePath } from './paths.ts';
import { extractVmlinux } from './vmlinux.ts';

/** Kernel files for guests, on the host. */
export interface GuestKernel {
  version: string;
  /** The uncompressed ELF file. Xen builds a domain from it fastest. */
  vmlinux: string;
  /** The kernel as Debian ships it. */
  vmlinuz: string;
}

/**
 * Modules by the time at which they are needed. Group 0 opens the channel, group 1 is for the disk,
 * and group 2 is for a network.
 */
export const MODULE_GROUPS = {
  '0-channel': ['xen-evtchn', 'xen-gntdev', 'xen-gntalloc', 'xen-privcmd', 'xenfs'],
  '1-disk': ['xen-blkfront', 'ext4', 'overlay'],
  '2-network': ['xen-netfront', 'af_packet'],
} as const;

/**
 * ext4 needs a crc32c module. This one fails to load without SSE 4.2, and the generic one is there
 * too.
 */
const SKIPPED = ['crc32c-intel'];

/** Makes the guest's kernel files under .lab/guest when they are missing. */
export async function ensureGuestKernel(from?: Image): Promise<GuestKernel> {
  const image = from ?? (await ensureImage());
  const directory = statePath('guest', image.kernelVersion);
  const kernel = {
    version: image.kernelVersion,
    vmlinux: path.join(directory, 'vmlinux'),
    vmlinuz: path.join(directory, 'vmlinuz'),
  };
  if (await exists(kernel.vmlinux)) return kernel;
  return withLock('guest', async () => {
    if (await exists(kernel.vmlinux)) return kernel;
    await mkdir(directory, { recursive: true });
    await copyFile(image.vmlinuz, kernel.vmlinuz);
    await writeFile(`${kernel.vmlinux}.new`, extractVmlinux(await readFile(image.vmlinuz)));
    await rename(`${kernel.vmlinux}.new`, kernel.vmlinux);
    return kernel;
  });
}

export interface InitramfsOptions {
  /** The Dom0 image whose kernel the guest runs. The default is the current one. */
  image?: Image;
  /** The static program that becomes /init. */
  agent: string;
  /** The path of the archive. */
  out: string;
}

/**
 * Writes a guest's initramfs: the agent as /init, and the modules under /lib/vxn/modules/GROUP.
 * Their sorted names are in the order in which they must be loaded.
 */
export async function buildInitramfs({ image, agent, out }: InitramfsOptions): Promise<void> {
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'run', 'tmp', 'lib', 'lib/vxn', 'lib/vxn/modules'].map(directory),
    // The kernel opens it as init's stdio before anything is mounted.
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { type: 'file', path: 'init', mode: 0o755, data: await readFile(agent) },
    ...(await moduleEntries(image ?? (await ensureImage()))),
  ];
  await mkdir(path.dirname(out), { recursive: true });
  await writeFile(`${out}.new`, cpio(entries));
  await rename(`${out}.new`, out);
}

/** The modules of all groups, where buildInitramfs() puts them. */
export async function moduleEntries(image: Image): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [];
  const seen = new Set<string>(SKIPPED);
  for (const [group, names] of Object.entries(MODULE_GROUPS)) {
    entries.push(directory(`lib/vxn/modules/${group}`));
    const files = await moduleFiles(image.modules, image.kernelVersion, names);
    const wanted = files.filter((file) => !seen.has(moduleName(file)));
    for (const [index, file] of wanted.entries()) {
      seen.add(moduleName(file));
      const name = `${String(index).padStart(2, '0')}-${moduleName(file)}.ko`;
      entries.push({
        type: 'file',
        path: `lib/vxn/modules/${group}/${name}`,
        mode: 0o644,
        data: await readModule(file),
      });
    }
  }
  return entries;
}

function directory(name: string): CpioEntry {
  return { type: 'directory', path: name, mode: 0o755 };
}
