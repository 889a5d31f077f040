// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { VxnError } from '../errors.ts';
import { BindArea } from '../guest/bind-area.ts';
import { Control } from '../guest/control.ts';
import { describeContainer, describeProcess, FIRST } from '../guest/description.ts';
import { encodeDescription, type Frame, Type } from '../guest/protocol.ts';
import { parseConfigText } from './bundle.ts';
import { checkId, load, type Places, placesOf, type Status, statusOf } from './container.ts';
import type { Context } from './context.ts';
import type { Spec } from './spec.ts';
import { stamp } from './timeline.ts';

/** What the monitor noted when it lost the guest, if it did. */
function lossNote(places: Places): string | undefined {
  try {
    return readFileSync(places.error, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function refuse(status: Status, places: Places): void {
  switch (status) {
    case 'created':
      return;
    case 'running':
      throw new VxnError('WRONG_STATE', 'cannot start an already running container');
    case 'creating':
      throw new VxnError('WRONG_STATE', 'cannot start a container that is being created');
    case 'stopped': {
      const why = lossNote(places);
      if (why !== undefined)
        throw new VxnError('GUEST', why, { hint: 'see vxn-oci-runtime logs --console ID' });
      throw new VxnError('WRONG_STATE', 'cannot start a container that has stopped');
    }
  }
}

async function request(control: Control, spec: Spec, places: Places, bindLimit: number): Promise<void> {
  const { process } = spec;
  if (process === undefined)
    throw new VxnError('INVALID_SPEC', 'config.json: process is missing, so there is nothing to start');
  const binds = new BindArea(spec.mounts, bindLimit);
  const container = describeContainer(spec, (m) => binds.indexOf(m), binds.bytes);
  await control.send(encodeDescription(Type.Container, FIRST, container));
  for (const frame of binds.frames(FIRST)) await control.send(frame);
  await control.send(encodeDescription(Type.Process, FIRST, describeProcess(process, true)));
  stamp(places, 'start.sent');
}

function failure(frame: Frame | undefined, places: Places): VxnError {
  const text =
    frame?.type === Type.Failed && frame.payload.length > 4
      ? frame.payload.toString('utf8', 4)
      : lossNote(places);
  return new VxnError('GUEST', text ?? 'the monitor died before the program started', {
    ...(frame === undefined || frame.payload.readUInt32LE(0) === 0
      ? { hint: 'see vxn-oci-runtime logs --console ID' }
      : {}),
  });
}

async function answer(control: Control): Promise<Frame | undefined> {
  for (;;) {
    const frame = await control.receive();
    if (frame === undefined || frame.type === Type.Started || frame.type === Type.Failed) return frame;
  }
}

/**
 * `start`: waits for the guest, makes the container in it and starts the program. Returns when the program runs.
 * Throws DOES_NOT_EXIST, WRONG_STATE, and GUEST with the words that engines look for when the program cannot be run.
 */
export async function start(context: Context, id: string): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  stamp(places, 'start.begin');
  refuse(statusOf(places, stored), places);
  const { spec } = parseConfigText(readFileSync(places.config, 'utf8'));
  const control = await Control.open(places.control);
  if (control === undefined) throw failure(undefined, places);
  try {
    await request(control, spec, places, context.config.bindLimit << 20);
    const frame = await answer(control);
    if (frame?.type !== Type.Started) {
      const error = failure(frame, places);
      throw error.message.startsWith('cannot start') ? new VxnError('WRONG_STATE', error.message) : error;
    }
    writeFileSync(places.started, '', { mode: 0o600 });
    stamp(places, 'start.end');
  } finally {
    control.close();
  }
}
