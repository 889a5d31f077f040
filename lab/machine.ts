// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { labArch } from './arch.ts';
import type { Endpoint } from './dial.ts';
import { LabError } from './errors.ts';
import type { Image } from './image.ts';
import { writeInitrd } from './initrd.ts';
import { statePath } from './paths.ts';
import { end, identify, isAlive, type ProcessIdentity } from './processes.ts';
import { tailOf, waitForLog } from './serial.ts';

/** A running machine, as recorded in the state directory. */
export interface Machine extends ProcessIdentity, Endpoint {
  image: string;
  startedAt: string;
  /** True when Dom0 has come up. */
  ready: boolean;
}

export const MACHINE_FILES = {
  record: statePath('run/machine.json'),
  serial: statePath('run/serial.log'),
  qemu: statePath('run/qemu.log'),
  initrd: statePath('run/initrd.cpio'),
};

const BOOT_BOUND_MS = 10 * 60_000;
const READY = /^lab: (exec server ready|boot failed: .*)/m;

/** The machine that runs now, or undefined. */
export async function currentMachine(): Promise<Machine | undefined> {
  const text = await readFile(MACHINE_FILES.record, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const machine = JSON.parse(text) as Machine;
  return (await isAlive(machine)) ? machine : undefined;
}

/** Boots the machine and waits until Dom0's exec server answers. */
export async function bootMachine(image: Image, report: (phase: string) => void): Promise<Machine> {
  await mkdir(statePath('run'), { recursive: true, mode: 0o700 });
  await mkdir(statePath('tmp'), { recursive: true });
  await chmod(statePath('run'), 0o700);
  report('making the initramfs');
  const token = randomBytes(32).toString('hex');
  await writeInitrd(image, token, MACHINE_FILES.initrd);

  report('booting Xen and Dom0');
  const port = await freePort();
  await writeFile(MACHINE_FILES.serial, '', { mode: 0o600 });
  const log = await open(MACHINE_FILES.qemu, 'w', 0o600);
  const qemu = spawn(labArch.qemu, qemuArguments(image, port), {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, TMPDIR: statePath('tmp') }, // the throw-away overlay of the disk
  });
  await log.close();
  const stopWaiting = new AbortController();
  qemu.once('error', (error) => stopWaiting.abort(new LabError(`cannot start QEMU: ${error.message}`)));
  qemu.once('exit', (code, signal) =>
    stopWaiting.abort(new LabError(`QEMU ended early (${signal ?? code})`)),
  );
  const bound = setTimeout(
    () => stopWaiting.abort(new LabError('Dom0 did not come up in time')),
    BOOT_BOUND_MS,
  );
  try {
    const identity = qemu.pid === undefined ? undefined : await identify(qemu.pid);
    if (!identity) {
      if (!stopWaiting.signal.aborted) await once(stopWaiting.signal, 'abort');
      throw stopWaiting.signal.reason;
    }
    const startedAt = new Date().toISOString();
    const machine = { ...identity, port, token, image: image.directory, startedAt, ready: false };
    await writeRecord(machine);
    const [, state] = await waitForLog(MACHINE_FILES.serial, READY, stopWaiting.signal);
    if (state?.startsWith('boot failed')) throw new LabError(state);
    const ready = { ...machine, ready: true };
    await writeRecord(ready);
    return ready;
  } catch (error) {
    const identity = qemu.pid === undefined ? undefined : await identify(qemu.pid);
    if (identity) await end(identity);
    const message = error instanceof Error ? error.message : String(error);
    throw new LabError(
      `${message}\nQEMU's messages:\n${await tailOf(MACHINE_FILES.qemu, 5)}\nSerial console:\n${await tailOf(MACHINE_FILES.serial)}`,
    );
  } finally {
    clearTimeout(bound);
    qemu.removeAllListeners();
    qemu.unref();
  }
}

/** Stops the machine and throws its disk away. */
export async function stopMachine(machine: Machine): Promise<void> {
  await end(machine);
  await rm(MACHINE_FILES.record, { force: true });
}

async function writeRecord(machine: Machine): Promise<void> {
  const work = `${MACHINE_FILES.record}.new`;
  await writeFile(work, `${JSON.stringify(machine, null, 2)}\n`, { mode: 0o600 });
  await rename(work, MACHINE_FILES.record);
}

function qemuArguments(image: Image, port: number): string[] {
  const env = process.env;
  const dom0Memory = env.VXN_LAB_DOM0_MEMORY ?? '1536';
  const cpus = Number(env.VXN_LAB_CPUS ?? 2);
  const machine = labArch.machine({
    xen: image.xen,
    kernel: image.vmlinuz,
    initrd: MACHINE_FILES.initrd,
    xenOptions: [
      labArch.xenOptions,
      `dom0_mem=${dom0Memory}M,max:${dom0Memory}M dom0_max_vcpus=${cpus}`,
      env.VXN_LAB_XEN_OPTIONS ?? '',
    ].join(' '),
    kernelOptions: `${labArch.kernelOptions} net.ifnames=0 ${env.VXN_LAB_KERNEL_OPTIONS ?? ''}`,
    memoryMiB: Number(env.VXN_LAB_MEMORY ?? 6144),
    cpus,
    cpuModel: env.VXN_LAB_CPU,
  });
  return [
    ...machine,
    ...['-nodefaults', '-display', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-serial', `file:${MACHINE_FILES.serial}`],
    ...['-drive', `file=${image.disk},format=raw,if=virtio,snapshot=on,cache=unsafe`],
    // There is no way out (restrict), and the only way in is the port of the exec server.
    ...['-netdev', `user,id=host,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:7000`],
    ...['-device', 'virtio-net-pci,netdev=host,romfile='],
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no TCP port to be had');
  return address.port;
}
