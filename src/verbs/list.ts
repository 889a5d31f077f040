// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import { type State, states } from './state.ts';

/** `list`: the states of all containers of a root, in the order of their folders. */
export function list(config: Config, root: string): State[] {
  return states(config, root);
}
