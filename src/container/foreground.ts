// SPDX-License-Identifier: MIT
// Standing in the foreground for a monitor: signals go there.

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

/** From now on the signals that this process gets go to another one instead. */
export function forwardSignals(to: { kill(signal: NodeJS.Signals): unknown }): void {
  for (const signal of FORWARDED) process.on(signal, () => to.kill(signal));
}
