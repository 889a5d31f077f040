// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/config.ts';
import type { Context } from '../domain/context.ts';
import type { Caller } from '../host/caller.ts';
import type { GlobalOptions } from './arguments.ts';

/** The context of a caller's call with these global options. */
export function makeContext(
  globals: GlobalOptions,
  caller: Caller,
  version: string,
  parseYaml: (text: string) => unknown,
): Context {
  let loaded: Config | undefined;
  return {
    // Broken settings concern only the verbs that read them: features and doctor work without.
    get config() {
      loaded ??= loadConfig(version, parseYaml);
      return loaded;
    },
    root: resolve(caller.cwd, globals.root),
    caller,
    async toolstack() {
      const { xlToolstack } = await import('../xen/xl.ts');
      return xlToolstack(this.config.xl, this.config.xenstoreRead);
    },
  };
}
