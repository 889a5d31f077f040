// SPDX-License-Identifier: MIT
// Modules that most calls never need. Node's own start is a call's budget, so they are loaded
// when they are used.

export const lazy = {
  bridge: () => import('./bridge.ts'),
  marker: () => import('./kinds/marker.ts'),
};
