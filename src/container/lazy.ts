// SPDX-License-Identifier: MIT
// Modules that most calls never need. Node's own start is a call's budget, so they are loaded
// when they are used.

export const lazy = {
  hooks: () => import('./hooks.ts'),
  remove: () => import('./remove.ts'),
  seccomp: () => import('./seccomp.ts'),
  staleDisks: () => import('./stale-disks.ts'),
};
