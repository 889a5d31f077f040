// SPDX-License-Identifier: MIT
// Domains that boot meta-virtualization's own images. These take a command line and answer with
// markers on the console (docs/marker-guests.md). Their init runs at boot, so the domain stays
// paused until `start`. The init runs vxn-agent, which lies on the root disk beside a recording
// of what it would have been told over its channel.
import { appendFileSync, lstatSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST } from '../../channel/description.ts';
import { encodeFrame, Records, Tag, Type } from '../../channel/protocol.ts';
import type { Config } from '../../config/config.ts';
import { errno, VxnError } from '../../host/errors.ts';
import type { Spec } from '../../spec/spec.ts';
import { checkDescription, writeStartFrames } from '../start-frames.ts';
import { type Entry, putIntoImage } from './ext4-image.ts';
import type { Kind } from './kind.ts';

/** The root disk's name in the guest. xvda is the image of the guest's own root, if it has one. */
const ROOT_DISK = 'xvdb';
/** A folder of ours on the root disk. It is gone before the program runs. */
const FOLDER = '/.vxn';
const SLACK = 1 << 20;

const agentOf = (config: Config): string => join(config.libexecDir, 'vxn-agent');

/** The kernel's command line as vcontainer's init scripts read it. */
export function markerCommandLine(terminal: boolean): string {
  const command = `${FOLDER}/agent --once ${FOLDER}/start`;
  const words = [
    'console=hvc0',
    'quiet',
    // Only a panic may get between the markers.
    'loglevel=1',
    'panic=0',
    'init=/init',
    'vcontainer.blk=xvd',
    'vcontainer.init=/vxn-init.sh',
    `docker_cmd=${Buffer.from(command).toString('base64')}`,
    'docker_input=oci',
    ...(terminal ? ['docker_interactive=1'] : []),
    // On AMD this initcall reads a register that does not exist in a PV domain.
    ...(process.arch === 'x64' ? ['initcall_blacklist=print_s5_reset_status_mmio'] : []),
  ];
  return words.join(' ');
}

function agentSize(config: Config): number {
  const agent = agentOf(config);
  try {
    return statSync(agent).size;
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
    throw new VxnError('HOST', `${agent}: no such file or directory`, {
      hint: 'a marker guest runs it; install vxn-agent in Dom0, too',
    });
  }
}

// For other kinds the monitor ends the description of a program with a terminal by the
// terminal's size. Nothing follows the recording, so it has to hold the size itself.
function terminalFrame({ process }: Spec): Buffer {
  if (process?.terminal !== true) return Buffer.alloc(0);
  const size = Buffer.alloc(4);
  size.writeUInt16LE(process.consoleSize?.height ?? 0, 0);
  size.writeUInt16LE(process.consoleSize?.width ?? 0, 2);
  return encodeFrame(Type.Process, FIRST, new Records().raw(Tag.Terminal, size).bytes());
}

/** Their init accepts a disk as a root only when it has /bin or /usr. */
function needsUsr(rootfs: string): boolean {
  return !['bin', 'usr'].some(
    (name) => lstatSync(join(rootfs, name), { throwIfNoEntry: false }) !== undefined,
  );
}

/** The kind `marker`. */
export const markerKind: Kind = {
  check(spec, config, callersTerminal) {
    if (callersTerminal) {
      throw new VxnError('UNSUPPORTED', 'a marker guest cannot have the terminal of `run`', {
        hint: 'use an engine: its console socket gives the guest a terminal',
      });
    }
    agentSize(config);
    checkDescription(spec, config);
  },

  images: (spec, config) => ({
    kernel: config.markerKernel,
    initramfs: config.markerInitramfs,
    boot: markerCommandLine(spec.process?.terminal === true),
  }),

  disks: (rootDisk, config) => [
    ...(config.markerRootfs === '' ? [] : [{ vdev: 'xvda', file: config.markerRootfs, readonly: true }]),
    { vdev: ROOT_DISK, file: rootDisk, readonly: false },
  ],

  room: (spec, config) => agentSize(config) + checkDescription(spec, config) + SLACK,

  monitorArgs: ['--guest', 'marker'],

  // The domain is paused, so its guest has not looked at the disk yet.
  describe(launch) {
    const { startFrames, rootDisk, rootfs, spec, config, path } = launch;
    const entries: Entry[] = [
      ...(needsUsr(rootfs) ? [{ path: '/usr', mode: 0o40755 }] : []),
      { path: FOLDER, mode: 0o40700 },
      { path: `${FOLDER}/agent`, mode: 0o100700, source: agentOf(config) },
      { path: `${FOLDER}/start`, mode: 0o100600, source: startFrames },
    ];
    try {
      writeStartFrames(launch, { rootDisk: ROOT_DISK });
      appendFileSync(startFrames, terminalFrame(spec));
      putIntoImage(rootDisk, entries, path);
    } finally {
      rmSync(startFrames, { force: true });
    }
  },
};
