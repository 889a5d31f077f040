// SPDX-License-Identifier: MIT
import { planContainer } from '../container/plan.ts';
import { realise } from '../container/realise.ts';
import { now } from '../container/timeline.ts';
import type { Context } from '../domain/context.ts';
import { callerPath } from '../host/caller-path.ts';
import type { ProcessId } from '../host/process-id.ts';

export interface CreateOptions {
  id: string;
  bundle: string;
  pidFile: string | undefined;
  consoleSocket: string | undefined;
}

/**
 * `create`: builds the root disk, boots the domain and starts its monitor. The program does not run
 * yet. Either everything is there at the end, or nothing. foreground: the caller waits for the
 * program's end. Gives the holder. Throws INVALID_*, USAGE, UNSUPPORTED, ALREADY_EXISTS, GUEST,
 * DISK, TOOLSTACK, MONITOR, HOOK, NETWORK, HOST.
 */
export async function create(
  context: Context,
  { id, bundle, pidFile, consoleSocket }: CreateOptions,
  foreground = false,
): Promise<ProcessId> {
  const begun = now();
  const { root, config, caller } = context;
  const plan = await planContainer({ id, root, bundle, consoleSocket, foreground }, config, caller);
  const file = pidFile === undefined ? undefined : callerPath(caller, pidFile);
  return realise(plan, context, file, begun);
}
