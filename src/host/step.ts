// SPDX-License-Identifier: MIT
// Programs that make a domain. The monitor runs them, since it starts a program far faster than
// node.
import type { VxnError } from './errors.ts';

export interface Step {
  /** Its name in the time line. */
  name: string;
  argv: readonly string[];
  /** The error for a step that ended with this status (128 + N: by signal N) and end of stderr. */
  failure(status: number, stderr: string): VxnError;
}

/**
 * Steps as vxn-monitor reads them: words that end in NUL. Each step has its name, the number of
 * its arguments, and the arguments.
 */
export function encodeSteps(steps: readonly Step[]): string {
  return steps.map(({ name, argv }) => [name, argv.length, ...argv].map((w) => `${w}\0`).join('')).join('');
}

/**
 * The environment of the steps. The host's mke2fs.conf must not change what the guest gets. path:
 * PATH, where programs are looked for.
 */
export function stepEnvironment(path: string): NodeJS.ProcessEnv {
  return { PATH: path, MKE2FS_CONFIG: '/dev/null', MKE2FS_SYNC: '0' };
}

/** How a step ended, for a message. */
export function describeStatus(status: number): string {
  return status > 128 ? `killed by signal ${status - 128}` : `status ${status}`;
}
