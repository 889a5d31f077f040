// SPDX-License-Identifier: MIT
import { type Config, loadConfig } from '../config.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import { xlToolstack } from '../xen/xl.ts';
import type { GlobalOptions } from './arguments.ts';

/** What every verb works with. */
export interface Context {
  config: Config;
  /** The caller's --root: containers of different roots may have the same id. */
  root: string;
  toolstack: Toolstack;
}

/** The context of a call with these global options. */
export function makeContext(
  globals: GlobalOptions,
  version: string,
  parseYaml: (text: string) => unknown,
): Context {
  const config = loadConfig(version, parseYaml);
  return { config, root: globals.root, toolstack: xlToolstack(config.xl, config.xenstoreRead) };
}
