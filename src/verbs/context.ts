// SPDX-License-Identifier: MIT

import type { GlobalOptions } from '../cli/arguments.ts';
import { type Config, loadConfig } from '../config/config.ts';
import type { Toolstack } from '../xen/toolstack.ts';

/** What every verb works with. */
export interface Context {
  /** Read when it is first asked for. Throws INVALID_CONFIG then. */
  readonly config: Config;
  /** The caller's --root: containers of different roots may have the same id. */
  root: string;
  /** Loaded when it is first asked for: most calls never need it. */
  toolstack(): Promise<Toolstack>;
}

/** The context of a call with these global options. */
export function makeContext(
  globals: GlobalOptions,
  version: string,
  parseYaml: (text: string) => unknown,
): Context {
  let loaded: Config | undefined;
  return {
    // Broken settings are the affair of those who read them: features and doctor work all the same.
    get config() {
      loaded ??= loadConfig(version, parseYaml);
      return loaded;
    },
    root: globals.root,
    async toolstack() {
      const { xlToolstack } = await import('../xen/xl.ts');
      return xlToolstack(this.config.xl, this.config.xenstoreRead);
    },
  };
}
