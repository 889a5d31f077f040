// SPDX-License-Identifier: MIT

/** A use of one file by another. Both are paths below the repository, with `/`. */
export interface Edge {
  from: string;
  to: string;
  /** The symbols that from takes, where they are known. */
  symbols?: readonly string[];
}

/** The words of the findings about one sort of edge. */
export interface Wording {
  /** The verb of `FROM imports TO`, without its s. */
  verb: string;
  /** The noun of `circle of imports`. */
  noun: string;
}

export const IMPORTS: Wording = { verb: 'import', noun: 'imports' };
export const INCLUDES: Wording = { verb: 'include', noun: 'includes' };
export const CALLS: Wording = { verb: 'use', noun: 'calls' };

/** The symbols of an edge as they follow a file's name: ` (a, b)`, or nothing. */
export function symbolsOf({ symbols = [] }: Edge): string {
  return symbols.length === 0 ? '' : ` (${symbols.join(', ')})`;
}
