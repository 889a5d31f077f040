// SPDX-License-Identifier: MIT
import type { Context } from '../domain/context.ts';
import { callerPath } from '../host/caller-path.ts';
import { VxnError } from '../host/errors.ts';
import type { Parsed } from './arguments.ts';
import { writeAll } from './output.ts';

/** One call of a verb: its command line, and where its answer goes. */
export class Call {
  /** The exit status when the verb does not throw. */
  status = 0;

  constructor(
    readonly context: Context,
    private readonly parsed: Parsed,
  ) {}

  /** The first argument, which is the container's id where there is one. */
  get id(): string {
    return this.parsed.args[0] ?? '';
  }

  get args(): readonly string[] {
    return this.parsed.args;
  }

  /** The options that have a value, and flags. */
  get options(): ReadonlyMap<string, string> {
    return this.parsed.options;
  }

  /** Whether the flag was given. */
  has(flag: string): boolean {
    return this.parsed.options.has(flag);
  }

  /** The value of an option. */
  value(option: string): string | undefined {
    return this.parsed.options.get(option);
  }

  /** The values of an option that may be given more than once. */
  values(option: string): readonly string[] {
    return this.parsed.lists.get(option) ?? [];
  }

  /** The value of --format, table by default. Throws USAGE on another one. */
  get format(): 'table' | 'json' {
    const format = this.value('format') ?? 'table';
    if (format === 'table' || format === 'json') return format;
    throw new VxnError('USAGE', `unknown format "${format}"`, { hint: 'table or json' });
  }

  /** The absolute form of a path that the caller gave. */
  path(path: string): string {
    return callerPath(this.context.caller, path);
  }

  /** Writes to the caller's standard output. False when nobody reads it any more. */
  print(data: string | Buffer): boolean {
    return writeAll(this.context.caller.fds[1], data);
  }

  /** Prints a value as indented JSON. */
  printJson(value: unknown): void {
    this.print(`${JSON.stringify(value, null, 2)}\n`);
  }
}
