// SPDX-License-Identifier: MIT
import { isAbsolute, resolve } from 'node:path';
import type { Caller } from './caller.ts';

/**
 * The absolute, normalised form of a path that the caller gave. The caller's working directory
 * is looked at only for a relative path: a shim's may be gone by the time of its last `delete`.
 */
export function callerPath(caller: Pick<Caller, 'cwd'>, path: string): string {
  return isAbsolute(path) ? resolve('/', path) : resolve(caller.cwd, path);
}
