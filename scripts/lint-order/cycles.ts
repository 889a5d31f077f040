// SPDX-License-Identifier: MIT
// Circles of files. In a knot every file leads to every other one. Each knot is reported once.
import { type Edge, symbolsOf, type Wording } from './edges.ts';

type Graph = ReadonlyMap<string, readonly string[]>;

function graphOf(edges: readonly Edge[]): Graph {
  const graph = new Map<string, string[]>();
  for (const { from, to } of edges) {
    graph.set(from, [...(graph.get(from) ?? []), to]);
    if (!graph.has(to)) graph.set(to, []);
  }
  return graph;
}

/**
 * The strongly connected components that have an edge inside (Tarjan). Such a knot has two files or
 * more, or one file that leads to itself. Each knot is sorted, and so is the list.
 */
export function knots(edges: readonly Edge[]): string[][] {
  const graph = graphOf(edges);
  const number = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];

  const visit = (node: string): void => {
    const own = number.size;
    number.set(node, own);
    lowest.set(node, own);
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!number.has(next)) visit(next);
      if (open.includes(next)) {
        lowest.set(node, Math.min(lowest.get(node) ?? own, lowest.get(next) ?? own));
      }
    }
    if (lowest.get(node) === own) found.push(open.splice(open.indexOf(node)).sort());
  };

  for (const node of [...graph.keys()].sort()) if (!number.has(node)) visit(node);
  return found
    .filter((knot) => knot.length > 1 || graph.get(knot[0] ?? '')?.includes(knot[0] ?? ''))
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** The shortest way from a file of a knot back to it. Both ends are that file. */
function circleFrom(start: string, knot: ReadonlySet<string>, graph: Graph): string[] {
  const before = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = node; at !== start; at = before.get(at) ?? start) way.unshift(at);
        return [start, ...way];
      }
      if (!knot.has(next) || before.has(next)) continue;
      before.set(next, node);
      queue.push(next);
    }
  }
  throw new Error(`${start} is in no circle`);
}

function shortestCircle(knot: readonly string[], graph: Graph): string[] {
  const inside = new Set(knot);
  return knot
    .map((start) => circleFrom(start, inside, graph))
    .reduce((best, circle) => (circle.length < best.length ? circle : best));
}

/**
 * A line for each knot. It has the shortest circle with the symbols that make it, and all files
 * when the circle does not show them.
 */
export function circles(edges: readonly Edge[], { noun }: Wording): string[] {
  const graph = graphOf(edges);
  const step = (from: string, to: string): string => {
    const edge = edges.find((e) => e.from === from && e.to === to);
    return ` -> ${to}${edge === undefined ? '' : symbolsOf(edge)}`;
  };
  return knots(edges).map((knot) => {
    const circle = shortestCircle(knot, graph);
    const [first = ''] = circle;
    const way = circle.slice(1).map((to, i) => step(circle[i] ?? '', to));
    const rest = circle.length > knot.length ? '' : `; the knot has ${knot.length} files: ${knot.join(', ')}`;
    return `circle of ${noun}: ${first}${way.join('')}${rest}`;
  });
}
