// SPDX-License-Identifier: MIT
import type { Caller } from '../host/caller.ts';

const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGWINCH',
];

/** Hands the caller's signals, from now on, to a holder in the background. */
export function forwardSignals(
  caller: Pick<Caller, 'onSignal'>,
  to: { kill(signal: NodeJS.Signals): unknown },
): void {
  caller.onSignal(FORWARDED, (signal) => to.kill(signal));
}
