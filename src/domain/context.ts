// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import type { Caller } from '../host/caller.ts';
import type { Toolstack } from '../xen/toolstack.ts';

/** The settings, the root and the tools that every verb works with. */
export interface Context {
  /** The settings. They are read at the first use, which throws INVALID_CONFIG. */
  readonly config: Config;
  /** The caller's --root, an absolute path. Containers of different roots may have the same id. */
  readonly root: string;
  readonly caller: Caller;
  /** The toolstack. It is loaded at the first use, because most calls never need it. */
  toolstack(): Promise<Toolstack>;
}
