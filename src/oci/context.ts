// SPDX-License-Identifier: MIT
import { type Config, loadConfig } from '../config.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import type { GlobalOptions } from './arguments.ts';

/** What every verb works with. */
export interface Context {
  config: Config;
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
  const config = loadConfig(version, parseYaml);
  const toolstack = async (): Promise<Toolstack> => {
    const { xlToolstack } = await import('../xen/xl.ts');
    return xlToolstack(config.xl, config.xenstoreRead);
  };
  return { config, root: globals.root, toolstack };
}
