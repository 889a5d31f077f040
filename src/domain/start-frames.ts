// SPDX-License-Identifier: MIT
// The frames that make a container in its domain and start its first process.
import { closeSync, openSync, writeSync } from 'node:fs';
import { describeContainer, describeProcess, FIRST } from '../channel/description.ts';
import {
  DESCRIPTION_MAX,
  encodeDescription,
  SECCOMP_MAX,
  TERMINAL_BYTES,
  Type,
} from '../channel/protocol.ts';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import type { Spec } from '../spec/spec.ts';
import { BindArea } from './bind-area.ts';
import type { Launch } from './kinds/kind.ts';

// Bytes that the monitor and vxn-seccomp may add to the process.
const ADDED_MAX = SECCOMP_MAX + TERMINAL_BYTES;

const bindLimit = (config: Config): number => config.bindLimit << 20;

/**
 * Refuses a process and mounts that the channel cannot carry. Gives the number of bytes that they
 * take. Throws INVALID_SPEC, UNSUPPORTED.
 */
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

interface Options {
  /** The root's device in the guest. */
  rootDisk: string;
  /** Frames that come before all others. */
  first?: readonly Buffer[];
}

function* startFrames(launch: Launch, { rootDisk, first = [] }: Options): Generator<Buffer> {
  const { spec, config, seccomp, hooks } = launch;
  const { process } = spec;
  if (process === undefined)
    throw new VxnError('INVALID_SPEC', 'config.json: process is missing, so there is nothing to start');
  const binds = new BindArea(spec.mounts, bindLimit(config));
  const container = describeContainer(spec, (m) => binds.indexOf(m), binds.bytes, rootDisk);
  yield* first;
  yield encodeDescription(Type.Container, FIRST, container);
  yield* binds.frames(FIRST);
  const program = Buffer.concat([describeProcess(process, true, seccomp), hooks]);
  if (program.length + TERMINAL_BYTES > DESCRIPTION_MAX)
    throw new VxnError('INVALID_SPEC', 'config.json: process, hooks and annotations are larger than 4 MiB');
  yield encodeDescription(Type.Process, FIRST, program, process.terminal);
}

/**
 * Writes the frames to launch.startFrames. Throws INVALID_SPEC, UNSUPPORTED, and HOST when the disk
 * is full.
 */
export function writeStartFrames(launch: Launch, options: Options): void {
  const { startFrames: file } = launch;
  const fd = openSync(file, 'w', 0o600);
  try {
    for (const frame of startFrames(launch, options)) {
      if (writeSync(fd, frame) < frame.length) throw new VxnError('HOST', `${file}: disk full`);
    }
  } finally {
    closeSync(fd);
  }
}
