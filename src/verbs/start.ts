// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import {
  type Container,
  checkId,
  domainOf,
  type Places,
  placesOf,
  seccompFilter,
} from '../container/container.ts';
import { lazy } from '../container/lazy.ts';
import { type Status, statusOf } from '../container/status.ts';
import { load } from '../container/store.ts';
import { stamp } from '../container/timeline.ts';
import type { Context } from '../domain/context.ts';
import { type DomainPlaces, loadDomain } from '../domain/domain.ts';
import { kindOf } from '../domain/kinds/kinds.ts';
import { isPaused } from '../domain/paused.ts';
import { VxnError } from '../host/errors.ts';
import { waitAtGate } from '../host/gate.ts';
import { tryHold } from '../host/hold.ts';
import { guestMounts, parseConfigText } from '../spec/bundle.ts';

/**
 * The reason why the guest was lost or has refused the program: "ERRNO SENTENCE" in the file
 * `error`. ERRNO is 0 for a loss. undefined when there is no such file.
 */
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

// The writer of the note has ended the container as well.
function failure(places: Places): VxnError {
  const { error, text } = lossNote(places) ?? {
    error: 0,
    text: 'the monitor died before the program started',
  };
  return new VxnError('GUEST', text, error === 0 ? { hint: 'see vxn-oci-runtime logs --console ID' } : {});
}

const NO_HOOKS = Buffer.alloc(0);

/** Starts the program. launch writes its description. Returns when the program runs. */
function startProgram(places: Places, domain: DomainPlaces, container: Container, launch: () => void): void {
  // The first of two callers starts it. A caller may also follow one that was killed.
  if (tryHold(places.starting) !== undefined) refuse('running', places);
  // The killed caller may have started the program, and the program may have ended.
  refuse(statusOf(places, container), places);
  launch();
  if (!request(domain.requests, encodeFrame(Type.Start, 0))) throw failure(places);
  stamp(places, 'start.sent');
  waitAtGate(places.startGate);
  if (!existsSync(places.started)) throw failure(places);
}

/**
 * `start`: waits for the guest, makes the container in it and starts the program. Returns when the
 * program runs. Throws INVALID_ID, DOES_NOT_EXIST, WRONG_STATE. Throws GUEST, in the words that
 * engines look for, when the program cannot be run. Throws HOOK when a hook fails, and the
 * container is gone then.
 */
export async function start(context: Context, id: string): Promise<void> {
  const { config, root, caller } = context;
  checkId(id);
  const places = placesOf(config, root, id);
  const container = load(places);
  const domain = domainOf(config, container);
  stamp(places, 'start.begin');
  refuse(statusOf(places, container), places);
  // A domain paused with `xl pause` is not refused: start waits until it is unpaused.
  if (existsSync(domain.paused) && isPaused(domain) === true)
    throw new VxnError('WRONG_STATE', 'cannot start a container in the paused state');
  const { spec, raw } = parseConfigText(readFileSync(places.config, 'utf8'));
  spec.mounts = guestMounts(spec.mounts, container.bundle);
  const { kind: kindName, network } = loadDomain(domain);
  const kind = await kindOf(kindName);
  const begin = (hooks: Buffer): void =>
    startProgram(places, domain, container, () =>
      kind.describe({
        spec,
        config,
        network,
        hooks,
        rootfs: container.rootfs,
        rootDisk: places.rootDisk,
        seccomp: seccompFilter(places, container),
        startFrames: places.startFrames,
        path: caller.env.PATH ?? '',
      }),
    );
  if (container.hooks === undefined) {
    begin(NO_HOOKS);
  } else {
    const remove = async (last: () => Promise<void>): Promise<void> =>
      (await lazy.remove()).removeContainer(context, places, container, last);
    const { startWithHooks } = await lazy.hooks();
    await startWithHooks(container, raw, spec.process?.env ?? [], caller, { begin, remove });
  }
  stamp(places, 'start.end');
}
