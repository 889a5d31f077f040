// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import type { Caller } from '../host/caller.ts';
import type { Toolstack } from '../xen/toolstack.ts';

/** What every verb works with. */
export interface Context {
  /** Read when it is first asked for. Throws INVALID_CONFIG then. */
  readonly config: Config;
  /** The caller's --root, an absolute path: containers of different roots may have the same id. */
  readonly root: string;
  readonly caller: Caller;
  /** Loaded when it is first asked for: most calls never need it. */
  toolstack(): Promise<Toolstack>;
}
