// SPDX-License-Identifier: MIT
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Lab } from './lab.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Runs a command in Dom0 as if it ran here: stdio, signals and exit status pass through. */
export async function passThrough(
  lab: Lab,
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> },
): Promise<number> {
  const session = lab.spawn(argv, {
    ...options,
    collect: false,
    stdin: process.stdin,
    onStdout: (chunk) => writeAll(process.stdout, chunk),
    onStderr: (chunk) => writeAll(process.stderr, chunk),
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => session.abort(error)); // our reader is gone
  }
  for (const signal of FORWARDED) process.on(signal, () => session.kill(signal));
  try {
    return (await session.result).status;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 141;
    throw error;
  } finally {
    for (const signal of FORWARDED) process.removeAllListeners(signal);
  }
}

async function writeAll(stream: Writable, chunk: Buffer): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}
