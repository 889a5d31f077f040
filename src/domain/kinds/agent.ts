// SPDX-License-Identifier: MIT
// Guests with vxn-agent as their first process: the program is described over the guest channel.
import { closeSync, openSync, writeSync } from 'node:fs';
import { describeContainer, describeProcess, FIRST } from '../../channel/description.ts';
import { describeNetwork } from '../../channel/network-request.ts';
import {
  DESCRIPTION_MAX,
  encodeDescription,
  encodeFrame,
  SECCOMP_MAX,
  TERMINAL_BYTES,
  Type,
} from '../../channel/protocol.ts';
import type { Config } from '../../config/config.ts';
import { type Places, type Stored, seccompFilter } from '../../container/container.ts';
import { VxnError } from '../../host/errors.ts';
import type { Spec } from '../../spec/spec.ts';
import { BindArea } from '../bind-area.ts';
import type { Guest } from './kind.ts';

// What the monitor and vxn-seccomp add to the process.
const ADDED_MAX = SECCOMP_MAX + TERMINAL_BYTES;

const bindLimit = (config: Config): number => config.bindLimit << 20;

/** Refuses a process and mounts that the channel cannot carry. Gives the bytes that they take. */
export function checkDescription(spec: Spec, config: Config): number {
  const binds = new BindArea(spec.mounts, bindLimit(config));
  const container = describeContainer(spec, (m) => binds.indexOf(m), binds.bytes);
  const process =
    spec.process === undefined ? Buffer.alloc(0) : describeProcess(spec.process, true, undefined);
  if (Math.max(container.length, process.length + ADDED_MAX) > DESCRIPTION_MAX) {
    throw new VxnError('INVALID_SPEC', 'config.json: process and mounts are larger than 4 MiB');
  }
  return binds.bytes + container.length + process.length + ADDED_MAX;
}

interface StartOptions {
  /** HOOK records. */
  hooks: Buffer;
  /** The root's device in the guest, if not the usual one. */
  rootDisk?: string;
  /** Frames that come before all others. */
  first?: readonly Buffer[];
}

function* startFrames(
  stored: Stored,
  spec: Spec,
  places: Places,
  config: Config,
  { hooks, rootDisk, first = [] }: StartOptions,
): Generator<Buffer> {
  const { process } = spec;
  if (process === undefined)
    throw new VxnError('INVALID_SPEC', 'config.json: process is missing, so there is nothing to start');
  const binds = new BindArea(spec.mounts, bindLimit(config));
  const container = describeContainer(spec, (m) => binds.indexOf(m), binds.bytes, rootDisk);
  yield* first;
  yield encodeDescription(Type.Container, FIRST, container);
  yield* binds.frames(FIRST);
  const program = Buffer.concat([describeProcess(process, true, seccompFilter(places, stored)), hooks]);
  if (program.length + TERMINAL_BYTES > DESCRIPTION_MAX)
    throw new VxnError('INVALID_SPEC', 'config.json: process, hooks and annotations are larger than 4 MiB');
  yield encodeDescription(Type.Process, FIRST, program, process.terminal);
}

/** Writes the frames that make the container and start its first process to places.startFrames. */
export function writeStartFrames(
  stored: Stored,
  spec: Spec,
  places: Places,
  config: Config,
  options: StartOptions,
): void {
  const { startFrames: file } = places;
  const fd = openSync(file, 'w', 0o600);
  try {
    for (const frame of startFrames(stored, spec, places, config, options)) {
      if (writeSync(fd, frame) < frame.length) throw new VxnError('HOST', `${file}: disk full`);
    }
  } finally {
    closeSync(fd);
  }
}

export const agentGuest: Guest = {
  check: (spec, config) => void checkDescription(spec, config),
  images: (_spec, { kernel, initramfs }) => ({ kernel, initramfs }),
  disks: (places) => [{ vdev: 'xvda', file: places.rootDisk, readonly: false }],
  room: () => 0,
  paused: false,
  monitorArgs: [],
  // The monitor passes the file on, but for NETWORK, which is for itself.
  describe: (stored, spec, places, config, hooks) =>
    writeStartFrames(stored, spec, places, config, {
      hooks,
      first: [encodeFrame(Type.Network, FIRST, describeNetwork(stored.network, spec))],
    }),
};
