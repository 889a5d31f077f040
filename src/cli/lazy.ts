// SPDX-License-Identifier: MIT
// Most of a call is node's own start. So the code of a verb, and the modules of node that it
// needs, are loaded only when that verb is called.

export const lazy = {
  create: () => import('../verbs/create.ts'),
  start: () => import('../verbs/start.ts'),
  state: () => import('../verbs/state.ts'),
  kill: () => import('../verbs/kill.ts'),
  delete: () => import('../verbs/delete.ts'),
  pause: () => import('../verbs/pause.ts'),
  update: () => import('../verbs/update.ts'),
  events: () => import('../verbs/events.ts'),
  exec: () => import('../verbs/exec.ts'),
  run: () => import('../verbs/run.ts'),
  list: () => import('../verbs/list.ts'),
  domains: () => import('../verbs/domains.ts'),
  ps: () => import('../verbs/ps.ts'),
  logs: () => import('../verbs/logs.ts'),
  timeline: () => import('../verbs/timeline.ts'),
  spec: () => import('../spec/default-spec.ts'),
  checkpoint: () => import('../verbs/checkpoint.ts'),
  features: () => import('../verbs/features.ts'),
  xl: () => import('../xen/xl.ts'),
  // No verb of its own. A start-up snapshot has to hold them all the same.
  remove: () => import('../container/remove.ts'),
  control: () => import('../channel/control.ts'),
};

/** Loads everything, for a start-up snapshot. */
export function loadAll(): void {
  for (const load of Object.values(lazy)) void load();
}
