// SPDX-License-Identifier: MIT
// The command line as runc takes it: global flags, a command, its flags before or after its arguments, `--flag value`
// and `--flag=value` alike. Written by hand since it runs at every call of every engine.
import { VxnError } from '../host/errors.ts';

export interface GlobalOptions {
  root: string;
  log: string | undefined;
  logFormat: 'text' | 'json';
  debug: boolean;
}

type Kind = 'flag' | 'value' | 'list';

// What engines pass and we have no use for is taken all the same.
const GLOBALS: Readonly<Record<string, Kind>> = {
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

export interface Command {
  /** Options by name. */
  options: Readonly<Record<string, Kind>>;
  /**
   * Names of the arguments for the usage line; those in brackets may be missing. One that ends in `...` stands for a command
   * line of its own: from its first word on nothing is an option of ours.
   */
  args: readonly string[];
  summary: string;
}

export interface Parsed {
  globals: GlobalOptions;
  command: string | undefined;
  options: Map<string, string>;
  /** The values of options that may be given more than once. */
  lists: Map<string, string[]>;
  args: string[];
}

// Of the names that a letter stands for, the one that the command has.
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  h: ['help'],
  v: ['version'],
  b: ['bundle'],
  f: ['format', 'force'],
  q: ['quiet'],
  r: ['resources'],
  a: ['all'],
  c: ['cap'],
  d: ['detach'],
  e: ['env'],
  g: ['additional-gids'],
  p: ['process'],
  t: ['tty'],
  u: ['user'],
};

interface Token {
  name: string;
  value: string | undefined;
}

function asOption(word: string, kinds: Readonly<Record<string, Kind>>): Token | undefined {
  if (!word.startsWith('-') || word === '-') return undefined;
  const text = word.replace(/^--?/, '');
  const eq = text.indexOf('=');
  const given = eq < 0 ? text : text.slice(0, eq);
  const meant = Object.hasOwn(ALIASES, given) ? (ALIASES[given] ?? []) : [];
  const name = meant.find((m) => Object.hasOwn(kinds, m)) ?? meant[0] ?? given;
  return { name, value: eq < 0 ? undefined : text.slice(eq + 1) };
}

/** The candidate nearest to word by edit distance, if near enough to be a slip of the finger. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
        next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
      }
      row = next;
    }
    return row[b.length] ?? 0;
  };
  const ranked = candidates.map((c) => ({ c, d: distance(word, c) })).sort((x, y) => x.d - y.d);
  const best = ranked[0];
  return best !== undefined && best.d <= Math.max(1, Math.ceil(best.c.length / 3)) ? best.c : undefined;
}

function usage(message: string, word: string, candidates: readonly string[]): VxnError {
  const guess = nearest(word, candidates);
  return new VxnError('USAGE', message, {
    hint: guess === undefined ? 'see --help' : `did you mean ${guess}?`,
  });
}

type Found = Pick<Parsed, 'options' | 'lists'>;

// Takes options and arguments off words until there are as many arguments as last says.
function readOptions(
  words: string[],
  kinds: Readonly<Record<string, Kind>>,
  { options, lists }: Found,
  last: number,
): string[] {
  const args: string[] = [];
  while (words.length > 0 && args.length < last) {
    const word = words.shift() ?? '';
    if (word === '--') return [...args, ...words.splice(0)];
    const token = asOption(word, kinds);
    if (token === undefined) {
      args.push(word);
      continue;
    }
    const kind = Object.hasOwn(kinds, token.name) ? kinds[token.name] : undefined;
    if (kind === undefined) {
      const known = Object.keys(kinds).map((k) => `--${k}`);
      throw usage(`unknown option ${word.split('=')[0]}`, `--${token.name}`, known);
    }
    if (kind === 'flag') {
      if (token.value !== 'false') options.set(token.name, token.value ?? 'true');
      continue;
    }
    const value = token.value ?? words.shift();
    if (value === undefined) throw new VxnError('USAGE', `option --${token.name} needs a value`);
    if (kind === 'list') lists.set(token.name, [...(lists.get(token.name) ?? []), value]);
    else options.set(token.name, value);
  }
  return args;
}

/** The value of a global option, found even in a command line that does not parse. What follows the command is not ours. */
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

/** Parses a command line (without node and script). Throws USAGE. */
export function parseArguments(argv: readonly string[], commands: Readonly<Record<string, Command>>): Parsed {
  const words = [...argv];
  const found = new Map<string, string>();
  const [command] = readOptions(words, GLOBALS, { options: found, lists: new Map() }, 1);
  const format = found.get('log-format') ?? 'text';
  if (format !== 'text' && format !== 'json') throw new VxnError('USAGE', `unknown log format "${format}"`);
  const globals: GlobalOptions = {
    root: found.get('root') ?? '/run/vxn',
    log: found.get('log'),
    logFormat: format,
    debug: found.has('debug'),
  };
  const options = new Map<string, string>();
  const lists = new Map<string, string[]>();
  for (const name of ['help', 'version']) if (found.has(name)) options.set(name, 'true');
  if (command === undefined) return { globals, command, options, lists, args: [] };
  const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (known === undefined) throw usage(`unknown command "${command}"`, command, Object.keys(commands));
  const open = known.args.at(-1)?.includes('...') === true;
  const last = open ? known.args.length : Number.POSITIVE_INFINITY;
  const args = [
    ...readOptions(words, { ...known.options, help: 'flag' }, { options, lists }, last),
    ...words,
  ];
  if (options.has('help')) return { globals, command, options, lists, args };
  const needed = known.args.filter((a) => !a.startsWith('[')).length;
  if (args.length < needed || (!open && args.length > known.args.length)) {
    throw new VxnError(
      'USAGE',
      `${command} takes ${known.args.join(' ') || 'no arguments'}, got ${args.length} argument(s)`,
    );
  }
  return { globals, command, options, lists, args };
}
