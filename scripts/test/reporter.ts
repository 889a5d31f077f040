// SPDX-License-Identifier: MIT
// A reporter for `node --test` that prints nothing: it sends the runner one message for each test and each file.
import { relative } from 'node:path';
import { ROOT } from './files.ts';

/** A file of tests begins or has ended, or a test has. */
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

/** What an event is to the runner; undefined for the many that are nothing to it. */
export function messageOf({ type, data }: TestEvent): TestMessage | undefined {
  if (data.name === undefined || data.file === undefined) return undefined;
  const file = relative(ROOT, data.file);
  // A file is a test of the name of its file, too.
  const isFile = relative(ROOT, data.name) === file;
  if (isFile && type === 'test:dequeue') return { type: 'begin', file };
  if (isFile && type === 'test:complete') return { type: 'end', file };
  if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') return undefined;
  // A test that was skipped, or is still to be written, has not passed.
  const passed = type === 'test:pass' && data.skip === undefined && data.todo === undefined;
  return { type: 'test', file, name: data.name, seconds: (data.details?.duration_ms ?? 0) / 1000, passed };
}

/** Sends what there is to say of each event, and yields nothing to print. */
export async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const message = messageOf(event);
    if (message !== undefined) process.send?.(message);
  }
  yield '';
}
