// SPDX-License-Identifier: MIT

/** Numbers of the file descriptors that are the caller's standard input, output and error. */
export type CallerFds = readonly [stdin: number, stdout: number, stderr: number];

/**
 * Who called, and with what. Only cli/ and service/ make one: nothing below them looks at
 * this process's own arguments, environment, working directory or descriptors 0 to 2.
 */
export interface Caller {
  /** The process that waits for the call's end, or for the program's in the foreground. */
  readonly pid: number;
  readonly fds: CallerFds;
  /** An absolute path, which relative paths of arguments start from. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Shows one line on the caller's standard error. A reader that is gone is no error. */
  warn(line: string): void;
  /** From now on each of these signals goes to handler instead of ending the call. */
  onSignal(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): void;
}
