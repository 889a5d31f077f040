// SPDX-License-Identifier: MIT
// The command line of `npm test`.
import { basename } from 'node:path';
import { testFiles } from './files.ts';

export const PARTS = ['lint', 'unit', 'native', 'e2e'] as const;
export type Part = (typeof PARTS)[number];

export const USAGE = `usage: npm test [-- [all|PART...] [FILE...] [--reverse]]
  all        with the long tests, which docs/testing.md names
  PART       ${PARTS.join(', ')}; without one, all four, without the long tests
  FILE       a file of unit or of e2e tests: test/e2e/run.test.ts, or run; only these run
  --reverse  the files of e2e in reverse order
`;

/** The parts to run. When files are named, a part runs only its own files. */
export interface Choice {
  parts: ReadonlySet<Part>;
  /** The long tests run as well. */
  long: boolean;
  /** The test files of the unit part. undefined for all. */
  unitFiles: string[] | undefined;
  /** The test files of the e2e part, in the order in which they run. */
  e2eFiles: string[];
}

/** An error in the command line. */
export class UsageError extends Error {}

const E2E = 'test/e2e';
const isE2e = (file: string): boolean => file.startsWith(`${E2E}/`);
const isPart = (word: string): word is Part => (PARTS as readonly string[]).includes(word);

/**
 * The test file that a word means. The word is its path, or its name where only one file has that
 * name.
 */
function named(word: string, files: readonly string[]): string {
  const path = word.replace(/^\.\//, '');
  if (files.includes(path)) return path;
  const found = files.filter((file) => basename(file, '.test.ts') === basename(word, '.test.ts'));
  if (found[0] === undefined) throw new UsageError(`there is no part and no test file ${word}`);
  if (found.length > 1) throw new UsageError(`${word} may be ${found.join(' or ')}: give the path`);
  return found[0];
}

/** When parts are named, a short name means a file of these parts. */
function within(file: string, parts: readonly Part[]): boolean {
  if (!parts.includes('unit') && !parts.includes('e2e')) return true;
  return parts.includes(isE2e(file) ? 'e2e' : 'unit');
}

function partsOf(named: readonly Part[], files: readonly string[]): Part[] {
  if (files.length > 0) return [...new Set(files.map((file): Part => (isE2e(file) ? 'e2e' : 'unit')))];
  return named.length > 0 ? [...named] : [...PARTS];
}

/**
 * Parses a command line. @throws {UsageError} for an unknown option, part or file, and for a name
 * that several files have.
 */
export function choose(argv: readonly string[]): Choice {
  const options = argv.filter((word) => word.startsWith('-'));
  const unknown = options.find((word) => word !== '--reverse');
  if (unknown !== undefined) throw new UsageError(`unknown option ${unknown}`);
  const words = argv.filter((word) => !word.startsWith('-'));
  const long = words.includes('all');
  const parts = words.filter(isPart);
  const every = testFiles('test', { long: true }).filter((file) => within(file, parts));
  const files = words.filter((word) => word !== 'all' && !isPart(word)).map((word) => named(word, every));
  const e2eFiles = files.length > 0 ? files.filter(isE2e) : testFiles(E2E, { long });
  return {
    parts: new Set(partsOf(parts, files)),
    long,
    unitFiles: files.length > 0 ? files.filter((file) => !isE2e(file)) : undefined,
    e2eFiles: options.includes('--reverse') ? e2eFiles.reverse() : e2eFiles,
  };
}
