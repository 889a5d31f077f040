// SPDX-License-Identifier: MIT
// Modules that most calls never need. They are loaded at the first use: a call should take hardly
// longer than Node's own start.

export const lazy = {
  hooks: () => import('./hooks.ts'),
  remove: () => import('./remove.ts'),
  seccomp: () => import('./seccomp.ts'),
  staleDisks: () => import('./stale-disks.ts'),
};
