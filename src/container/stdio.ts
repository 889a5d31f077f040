// SPDX-License-Identifier: MIT
// The stdio of a process on the side of Dom0: the caller's descriptors, the caller's terminal, or a
// new terminal for an engine.
import type { Caller, CallerFds } from '../host/caller.ts';
import { callerPath } from '../host/caller-path.ts';
import { VxnError } from '../host/errors.ts';
import type { Process } from '../spec/spec.ts';

const SOCKET_PATH_MAX = 107;

export interface Stdio {
  /** The program has a terminal. */
  terminal: boolean;
  /** The engine's socket that gets a new terminal. */
  consoleSocket: string | undefined;
  size: Process['consoleSize'];
  /** The caller waits for the program's end. A terminal of the program is then the caller's own. */
  foreground: boolean;
}

/**
 * Plans the stdio of a process with these properties. A relative path of the console socket starts
 * from the caller's folder. Throws USAGE, in runc's words, when a console socket is missing, has no
 * use, or has a path that is too long.
 */
export function planStdio(
  process: Pick<Process, 'terminal' | 'consoleSize'> | undefined,
  consoleSocket: string | undefined,
  foreground: boolean,
  caller: Pick<Caller, 'cwd'>,
): Stdio {
  const terminal = process?.terminal === true;
  if (terminal && !foreground && consoleSocket === undefined) {
    throw new VxnError('USAGE', 'cannot allocate tty if runc will detach without setting console socket', {
      hint: 'give --console-socket, or set process.terminal to false',
    });
  }
  if (consoleSocket !== undefined && (!terminal || foreground)) {
    throw new VxnError('USAGE', 'cannot use console socket if runc will not detach or allocate tty', {
      hint: 'leave out --console-socket, or set process.terminal to true',
    });
  }
  const path = consoleSocket === undefined ? undefined : callerPath(caller, consoleSocket);
  const length = Buffer.byteLength(path ?? '');
  if (length > SOCKET_PATH_MAX) {
    throw new VxnError(
      'USAGE',
      `the console socket's path has ${length} bytes, but at most ${SOCKET_PATH_MAX} are allowed`,
    );
  }
  return { terminal, consoleSocket: path, size: process?.consoleSize, foreground };
}

/** The arguments of a holder that say where the stdio is. */
export function stdioArgs({ terminal, consoleSocket, size, foreground }: Stdio): string[] {
  const args: string[] = [];
  if (foreground && terminal) args.push('--terminal');
  if (consoleSocket !== undefined) args.push('--console-socket', consoleSocket);
  if (consoleSocket !== undefined && size !== undefined)
    args.push('--console-size', `${size.height}x${size.width}`);
  return args;
}

/**
 * Descriptors 0 to 2 of the holder. With a terminal of its own it gets none from the caller. They
 * may be pipes, and the caller would wait for their end.
 */
export function stdioFds({ consoleSocket }: Stdio, { fds }: { fds: CallerFds }): (number | 'ignore')[] {
  return consoleSocket === undefined ? [...fds] : ['ignore', 'ignore', 'ignore'];
}
