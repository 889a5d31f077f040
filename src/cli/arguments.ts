// SPDX-License-Identifier: MIT
// The command line as runc takes it: global options, a command, its options and arguments.
// Written by hand, because it runs at every call of every engine.
import { VxnError } from '../host/errors.ts';
import { asOption, type Found, type Kinds, takeOptions, unknownWord } from './options.ts';

export interface GlobalOptions {
  root: string;
  log: string | undefined;
  logFormat: 'text' | 'json';
  debug: boolean;
}

// Engines pass some that have no use here: they are accepted and ignored.
const GLOBALS: Kinds = {
  root: 'value',
  log: 'value',
  'log-format': 'value',
  debug: 'flag',
  'systemd-cgroup': 'flag',
  criu: 'value',
  rootless: 'value',
  'cgroup-manager': 'value',
  version: 'flag',
  help: 'flag',
};

/** A command as its command line has it. */
export interface Command {
  summary: string;
  /**
   * Names of the arguments for the usage line. A name in brackets may be missing. A name that ends
   * in `...` stands for a command line of its own: from its first word on nothing is our option.
   */
  args: readonly string[];
  options: Kinds;
}

export interface Parsed extends Found {
  globals: GlobalOptions;
  command: string | undefined;
  args: string[];
}

/**
 * The value of a global option, found even in a command line that does not parse. Words behind
 * the command are the command's, and not looked at.
 */
export function globalOption(argv: readonly string[], name: string): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const token = asOption(argv[i] ?? '', GLOBALS);
    if (token === undefined) return undefined;
    const apart = token.value === undefined && GLOBALS[token.name] === 'value';
    if (token.name === name) return apart ? argv[i + 1] : (token.value ?? 'true');
    if (apart) i++;
  }
  return undefined;
}

function globalsOf(options: ReadonlyMap<string, string>): GlobalOptions {
  const format = options.get('log-format') ?? 'text';
  if (format !== 'text' && format !== 'json') throw new VxnError('USAGE', `unknown log format "${format}"`);
  return {
    root: options.get('root') ?? '/run/vxn',
    log: options.get('log'),
    logFormat: format,
    debug: options.has('debug'),
  };
}

const endsOpen = ({ args }: Command): boolean => args.at(-1)?.includes('...') === true;

function checkCount(name: string, command: Command, count: number): void {
  const needed = command.args.filter((a) => !a.startsWith('[')).length;
  if (count >= needed && (endsOpen(command) || count <= command.args.length)) return;
  const wanted = command.args.join(' ') || 'no arguments';
  throw new VxnError('USAGE', `${name} takes ${wanted}, got ${count} argument(s)`);
}

/** Parses a command line (without node and script). Throws USAGE. */
export function parseArguments(argv: readonly string[], commands: Readonly<Record<string, Command>>): Parsed {
  const words = [...argv];
  const own: Found = { options: new Map(), lists: new Map() };
  const [name] = takeOptions(words, GLOBALS, own, 1);
  const globals = globalsOf(own.options);
  const found: Found = { options: new Map(), lists: new Map() };
  for (const o of ['help', 'version']) if (own.options.has(o)) found.options.set(o, 'true');
  if (name === undefined) return { globals, command: name, ...found, args: [] };
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw unknownWord(`unknown command "${name}"`, name, Object.keys(commands));
  const last = endsOpen(command) ? command.args.length : Number.POSITIVE_INFINITY;
  const taken = takeOptions(words, { ...command.options, help: 'flag' }, found, last);
  const args = [...taken, ...words];
  if (!found.options.has('help')) checkCount(name, command, args.length);
  return { globals, command: name, ...found, args };
}
