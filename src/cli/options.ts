// SPDX-License-Identifier: MIT
// Options as runc takes them: before or after arguments, `--flag value` and `--flag=value` alike,
// with one dash or two.
import { VxnError } from '../host/errors.ts';
import { nearest } from '../host/nearest.ts';

/** flag: has no value. value: has one, the last one given counts. list: may be given often. */
export type Kind = 'flag' | 'value' | 'list';

/** Options by name. */
export type Kinds = Readonly<Record<string, Kind>>;

// Each letter, and the long names that it can stand for: the one that the command has is meant.
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

export interface Token {
  name: string;
  /** The value after `=`. */
  value: string | undefined;
}

/** The option that a word is; undefined for a word that is none. */
export function asOption(word: string, kinds: Kinds): Token | undefined {
  if (!word.startsWith('-') || word === '-') return undefined;
  const text = word.replace(/^--?/, '');
  const eq = text.indexOf('=');
  const given = eq < 0 ? text : text.slice(0, eq);
  const meant = Object.hasOwn(ALIASES, given) ? (ALIASES[given] ?? []) : [];
  const name = meant.find((m) => Object.hasOwn(kinds, m)) ?? meant[0] ?? given;
  return { name, value: eq < 0 ? undefined : text.slice(eq + 1) };
}

/** USAGE for a word that is unknown; the hint is the candidate that was probably meant. */
export function unknownWord(message: string, word: string, candidates: readonly string[]): VxnError {
  const guess = nearest(word, candidates);
  return new VxnError('USAGE', message, {
    hint: guess === undefined ? 'see --help' : `did you mean ${guess}?`,
  });
}

/** The options that were found. */
export interface Found {
  options: Map<string, string>;
  /** The values of options that may be given more than once. */
  lists: Map<string, string[]>;
}

function kindOf({ name }: Token, word: string, kinds: Kinds): Kind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  const known = Object.keys(kinds).map((k) => `--${k}`);
  throw unknownWord(`unknown option ${word.split('=')[0]}`, `--${name}`, known);
}

function note({ name, value }: Token, kind: Kind, words: string[], { options, lists }: Found): void {
  if (kind === 'flag') {
    if (value !== 'false') options.set(name, value ?? 'true');
    return;
  }
  const given = value ?? words.shift();
  if (given === undefined) throw new VxnError('USAGE', `option --${name} needs a value`);
  if (kind === 'list') lists.set(name, [...(lists.get(name) ?? []), given]);
  else options.set(name, given);
}

/**
 * Takes options and arguments off words until there are `last` arguments, and gives these. The
 * options are noted in found. Throws USAGE.
 */
export function takeOptions(words: string[], kinds: Kinds, found: Found, last: number): string[] {
  const args: string[] = [];
  while (words.length > 0 && args.length < last) {
    const word = words.shift() ?? '';
    if (word === '--') return [...args, ...words.splice(0)];
    const token = asOption(word, kinds);
    if (token === undefined) args.push(word);
    else note(token, kindOf(token, word, kinds), words, found);
  }
  return args;
}
