// SPDX-License-Identifier: MIT
// A reporter for `node --test` that prints nothing. It sends the runner a message for each test and
// each file.
import { relative } from 'node:path';
import { ROOT } from './files.ts';

/** A message: a file of tests begins or has ended, or a test has ended. */
export type TestMessage =
  | { type: 'begin' | 'end'; file: string }
  | { type: 'test'; file: string; name: string; seconds: number; passed: boolean };

interface TestEvent {
  type: string;
  data: {
    name?: string;
    file?: string;
    skip?: unknown;
    todo?: unknown;
    details?: { type?: string; duration_ms?: number };
  };
}

/** The message for an event. undefined for the many events that the runner does not need. */
export function messageOf({ type, data }: TestEvent): TestMessage | undefined {
  if (data.name === undefined || data.file === undefined) return undefined;
  const file = relative(ROOT, data.file);
  // A file also counts as a test with the name of the file.
  const isFile = relative(ROOT, data.name) === file;
  if (isFile && type === 'test:dequeue') return { type: 'begin', file };
  if (isFile && type === 'test:complete') return { type: 'end', file };
  if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') return undefined;
  // A test that was skipped, or is still to be written, has not passed.
  const passed = type === 'test:pass' && data.skip === undefined && data.todo === undefined;
  return { type: 'test', file, name: data.name, seconds: (data.details?.duration_ms ?? 0) / 1000, passed };
}

/** Sends a message for each event, and yields nothing to print. */
export async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const message = messageOf(event);
    if (message !== undefined) process.send?.(message);
  }
  yield '';
}
