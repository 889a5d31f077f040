// SPDX-License-Identifier: MIT
// Files beside the runtime's script: what is in them is too large to be read at every call.
import { realpathSync } from 'node:fs';

/** The runtime's script, links resolved. */
export const scriptPath = (): string => realpathSync(process.argv[1] ?? '');

function load(file: string): unknown {
  // Code in a start-up snapshot can require only node's own modules, so make a require for files.
  const { createRequire } = require('node:module') as typeof import('node:module');
  return createRequire(scriptPath())(`./${file}`);
}

/** The value of a YAML text. */
export function parseYaml(text: string): unknown {
  return (load('vxn-yaml.cjs') as typeof import('./vxn-yaml.ts')).parse(text);
}

/** The doctor. */
export const loadDoctor = (): typeof import('./vxn-doctor.ts') =>
  load('vxn-doctor.cjs') as typeof import('./vxn-doctor.ts');
