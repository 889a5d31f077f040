// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request, waitAtGate } from '../channel/requests.ts';
import type { Config } from '../config/config.ts';
import {
  checkId,
  load,
  type Places,
  placesOf,
  type Status,
  type Stored,
  statusOf,
} from '../container/container.ts';
import { stamp } from '../container/timeline.ts';
import { type Guest, guestOf } from '../domain/kinds/kind.ts';
import { isPaused } from '../domain/paused.ts';
import { VxnError } from '../host/errors.ts';
import { hold } from '../host/hold.ts';
import { guestMounts, parseConfigText } from '../spec/bundle.ts';
import type { Spec } from '../spec/spec.ts';
import type { Context } from './context.ts';

/** Why the monitor lost the guest or the guest refused the program, if so: "ERRNO SENTENCE", ERRNO 0 for a loss. */
function lossNote(places: Places): { error: number; text: string } | undefined {
  try {
    const [, error, text] = /^(\d+) (.+)/s.exec(readFileSync(places.error, 'utf8').trim()) ?? [];
    return text === undefined ? undefined : { error: Number(error), text };
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
      if (lossNote(places) !== undefined) throw failure(places);
      throw new VxnError('WRONG_STATE', 'cannot start a container that has stopped');
    }
  }
}

// Whoever wrote the note has ended the container.
function failure(places: Places): VxnError {
  const { error, text } = lossNote(places) ?? {
    error: 0,
    text: 'the monitor died before the program started',
  };
  return new VxnError('GUEST', text, error === 0 ? { hint: 'see vxn-oci-runtime logs --console ID' } : {});
}

const NO_HOOKS = Buffer.alloc(0);

/** Starts the program; returns when it runs. hooks are the HOOK records of its description. */
function startProgram(
  guest: Guest,
  config: Config,
  places: Places,
  stored: Stored,
  spec: Spec,
  hooks: Buffer,
): void {
  // The first of two callers starts it. One that was killed may be followed by another.
  if (hold(places.starting) !== undefined) refuse('running', places);
  // It may have started it before it died, or before it ended.
  refuse(statusOf(places, stored), places);
  guest.describe(stored, spec, places, config, hooks);
  if (!request(places.requests, encodeFrame(Type.Start, 0))) throw failure(places);
  stamp(places, 'start.sent');
  waitAtGate(places.startGate);
  if (!existsSync(places.started)) throw failure(places);
}

/**
 * `start`: waits for the guest, makes the container in it and starts the program. Returns when the program runs.
 * Throws DOES_NOT_EXIST, WRONG_STATE, and GUEST with the words that engines look for when the program cannot be run. When
 * a hook fails it throws HOOK, and the container is gone.
 */
export async function start(context: Context, id: string): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  stamp(places, 'start.begin');
  refuse(statusOf(places, stored), places);
  // One that somebody paused by hand is started when he lets it run.
  if (existsSync(places.paused) && isPaused(places) === true)
    throw new VxnError('WRONG_STATE', 'cannot start a container in the paused state');
  const { spec, raw } = parseConfigText(readFileSync(places.config, 'utf8'));
  spec.mounts = guestMounts(spec.mounts, stored.bundle);
  const guest = await guestOf(stored.guest);
  const begin = (hooks: Buffer): void => startProgram(guest, context.config, places, stored, spec, hooks);
  if (stored.hooks === undefined) begin(NO_HOOKS);
  else
    await (await import('../container/hooks.ts')).startWithHooks(
      { context, places, stored },
      raw,
      spec,
      begin,
    );
  stamp(places, 'start.end');
}
