// SPDX-License-Identifier: MIT
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { labArch } from './arch.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { ensureExecServer } from './exec-server.ts';
import type { Image } from './image.ts';
import { moduleFiles, moduleName, readModule } from './modules.ts';
import { LAB_SOURCE } from './paths.ts';

const INITTAB = `::sysinit:/usr/local/sbin/lab-dom0-init
::respawn:/usr/local/sbin/lab-exec-server
`;

/**
 * Writes Dom0's initramfs. It holds the modules that reach the root disk. Under /overlay it holds
 * the lab's own files, and every boot copies them onto the root disk. So a change of them needs a
 * boot, but no new image.
 */
export async function writeInitrd(image: Image, token: string, out: string): Promise<void> {
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'modules', 'proc', 'root', 'sys'].map(directory),
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    file('bin/busybox', 0o755, await readFile(image.busybox)),
    file('init', 0o755, await source('dom0/init')),
    ...(await moduleEntries(image)),
    ...(await overlay(token)),
  ];
  await writeFile(out, cpio(entries), { mode: 0o600 });
}

async function moduleEntries(image: Image): Promise<CpioEntry[]> {
  const files = await moduleFiles(image.modules, image.kernelVersion, labArch.rootModules);
  return Promise.all(
    files.map(async (module, index) => {
      const name = `${String(index).padStart(2, '0')}-${moduleName(module)}.ko`;
      return file(`modules/${name}`, 0o644, await readModule(module));
    }),
  );
}

async function overlay(token: string): Promise<CpioEntry[]> {
  return [
    ...['', '/etc', '/etc/lab', '/usr', '/usr/local', '/usr/local/sbin'].map((name) =>
      directory(`overlay${name}`),
    ),
    file('overlay/etc/inittab', 0o644, Buffer.from(INITTAB)),
    file('overlay/etc/hostname', 0o644, Buffer.from('dom0\n')),
    file('overlay/etc/lab/modules', 0o644, Buffer.from(`${labArch.dom0Modules.join('\n')}\n`)),
    file('overlay/etc/lab/token', 0o600, Buffer.from(token)),
    file('overlay/usr/local/sbin/lab-dom0-init', 0o755, await source('dom0-init')),
    file('overlay/usr/local/sbin/lab-containerd', 0o755, await source('dom0/lab-containerd')),
    file('overlay/usr/local/sbin/lab-docker', 0o755, await source('dom0/lab-docker')),
    file('overlay/usr/local/sbin/lab-exec-server', 0o755, await readFile(await ensureExecServer())),
  ];
}

function directory(name: string): CpioEntry {
  return { type: 'directory', path: name, mode: 0o755 };
}

function file(name: string, mode: number, data: Uint8Array): CpioEntry {
  return { type: 'file', path: name, mode, data };
}

function source(name: string): Promise<Buffer> {
  return readFile(path.join(LAB_SOURCE, name));
}
