// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import { type State, states } from './state.ts';

/** `list`: the state of every container of a root, by name. */
export function list(config: Config, root: string): State[] {
  return states(config, root);
}
