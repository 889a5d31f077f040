// SPDX-License-Identifier: MIT
// The single line that a monitor writes when it is ready, or when it has failed.
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

/**
 * Reads the line. Gives '' when the monitor ended without one. Rejects when the child cannot be
 * started, or says nothing within timeoutMs milliseconds.
 */
export function readyLine(child: ChildProcess, pipe: Readable, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve(text.trim());
    };
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) done();
    });
    pipe.on('end', done);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** The number in a line "ok NUMBER", or undefined when the line is another one. */
export function readyNumber(line: string): number | undefined {
  const digits = /^ok (\d+)$/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
