// SPDX-License-Identifier: MIT
import { domainOf, type Places, placesOf } from '../container/container.ts';
import { forwardSignals } from '../container/foreground.ts';
import { loadAny } from '../container/store.ts';
import type { Context } from '../domain/context.ts';
import { readIfThere } from '../host/files.ts';
import { gateOpened } from '../host/gate.ts';
import { isAlive } from '../host/process-id.ts';
import { type CreateOptions, create } from './create.ts';
import { deleteContainer } from './delete.ts';
import { start } from './start.ts';

export interface RunOptions extends CreateOptions {
  detach: boolean;
  /** The container is not deleted at the end. */
  keep: boolean;
}

const KILLED = 137;

// A holder that was killed has left no status.
function exitStatus(places: Places): number {
  const text = readIfThere(places.exit);
  return text === undefined ? KILLED : Number(text);
}

/**
 * `run`: create and start, then, unless detached, wait and delete. Gives the program's exit status,
 * or 0 when detached. A container that cannot be started is deleted. Throws the errors of create
 * and start.
 */
export async function run(context: Context, options: RunOptions): Promise<number> {
  const { id, detach, keep } = options;
  const places = placesOf(context.config, context.root, id);
  const holder = await create(context, options, !detach);
  const domain = domainOf(context.config, loadAny(places));
  const kill = (signal: NodeJS.Signals): void => {
    if (isAlive(holder)) process.kill(holder.pid, signal);
  };
  if (!detach) forwardSignals(context.caller, { kill });
  try {
    await start(context, id);
  } catch (error) {
    await deleteContainer(context, id, true).catch(() => undefined);
    throw error;
  }
  if (detach) return 0;
  await gateOpened(domain.endGate);
  const status = exitStatus(places);
  if (!keep) await deleteContainer(context, id, true);
  return status;
}
