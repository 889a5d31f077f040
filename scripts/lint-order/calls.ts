// SPDX-License-Identifier: MIT
// The calls in C, as the linker sees them. An object uses another one when it leaves a symbol
// undefined that the other one defines.
import { execFileSync } from 'node:child_process';
import { buildObjects, objectOf, programsOf, type Variant } from './build.ts';
import type { Edge } from './edges.ts';

/** The external symbols of one object. */
export interface Symbols {
  defined: ReadonlySet<string>;
  undefined: ReadonlySet<string>;
}

/** Reads one object's symbols out of the output of `nm --format=posix`. */
export function parseSymbols(output: string): Symbols {
  const defined = new Set<string>();
  const undefinedOnes = new Set<string>();
  for (const line of output.split('\n')) {
    const [name = '', type = ''] = line.split(' ');
    if (/^[Uvw]$/.test(type)) undefinedOnes.add(name);
    else if (/^[A-Z]$/.test(type)) defined.add(name);
  }
  return { defined, undefined: undefinedOnes };
}

function symbolsOf(object: string): Symbols {
  return parseSymbols(execFileSync('nm', ['--format=posix', object], { encoding: 'utf8' }));
}

/** The edges among the objects of one program. The keys are the paths of the sources. */
export function edgesAmong(objects: ReadonlyMap<string, Symbols>): Edge[] {
  return [...objects].flatMap(([from, { undefined: wanted }]) =>
    [...objects].flatMap(([to, { defined }]) => {
      const symbols = [...wanted].filter((symbol) => from !== to && defined.has(symbol)).sort();
      return symbols.length === 0 ? [] : [{ from, to, symbols }];
    }),
  );
}

/** The edges of each program that a variant of native/ has. Builds the objects first. */
export function findCalls(root: string, variant: Variant): Edge[][] {
  const programs = programsOf(root, variant);
  buildObjects(root, variant, programs);
  return [...programs.values()].map((sources) =>
    edgesAmong(new Map(sources.map((source) => [source, symbolsOf(objectOf(root, variant, source))]))),
  );
}
