// SPDX-License-Identifier: MIT
// A runtime call that is killed at a step: deleting twice leaves nothing.
import { bundle, spec } from './bundle.ts';
import { assertClean, dom0, mustSh } from './dom0.ts';

/** A root of our own, beside the engines'. */
export const DIRECT = '/run/vxn-direct';

/** Steps of each verb, as the time line names them. */
export type Steps = Record<'create' | 'start' | 'delete', readonly string[]>;

const RUN = `vxn-oci-runtime --root ${DIRECT}`;

/** Prepares, waits for the step, kills the runtime, deletes twice. */
const killAt = (prepare: string, command: string, step: string): string => `
  ${prepare}
  ${RUN} ${command} </dev/null >/dev/null 2>&1 & pid=$!
  until grep -qs '${step}$' /run/vxn/*/steps/timeline || ! kill -0 $pid 2>/dev/null; do :; done
  kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  ${RUN} delete --force steps && ${RUN} delete --force steps && ! ${RUN} state steps 2>/dev/null`;

/** Kills each verb at each of its steps, one life for each. */
export async function killedAt(steps: Steps): Promise<void> {
  const path = await bundle(await dom0(), 'steps', spec('sleep 600'));
  const create = `create --bundle ${path} steps`;
  const made = `${RUN} ${create} </dev/null >/dev/null 2>&1 || exit 8`;
  const calls = {
    create: { prepare: '', command: create },
    start: { prepare: made, command: 'start steps' },
    delete: { prepare: `${made}; ${RUN} start steps || exit 7`, command: 'delete --force steps' },
  };
  for (const verb of ['create', 'start', 'delete'] as const)
    for (const step of steps[verb]) {
      await mustSh(killAt(calls[verb].prepare, calls[verb].command, step));
      await assertClean();
    }
}
