// SPDX-License-Identifier: MIT
import { type Config, loadConfig } from '../config/config.ts';
import type { Context } from '../domain/context.ts';
import type { Caller } from '../host/caller.ts';
import { callerPath } from '../host/caller-path.ts';
import type { GlobalOptions } from './arguments.ts';
import { lazy } from './lazy.ts';

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
      loaded ??= loadConfig(version, parseYaml, caller.env);
      return loaded;
    },
    root: callerPath(caller, globals.root),
    caller,
    async toolstack() {
      const { xlToolstack } = await lazy.xl();
      return xlToolstack(this.config.xl, this.config.xenstoreRead);
    },
  };
}
