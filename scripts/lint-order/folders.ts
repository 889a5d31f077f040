// SPDX-License-Identifier: MIT
// Each file belongs to a folder of the table. An edge may only lead to folders that the row of its
// folder allows.
import { dirname } from 'node:path';
import { type Edge, symbolsOf, type Wording } from './edges.ts';
import type { Order } from './order.ts';

const TABLE = 'scripts/lint-order/order.ts';

function isBelow(folder: string, parent: string): boolean {
  return folder === parent || folder.startsWith(`${parent}/`);
}

/** The row of a file: the nearest folder above it that the table has. */
export function folderOf(file: string, order: Order): string | undefined {
  for (let folder = dirname(file); folder !== '.' && folder !== '/'; folder = dirname(folder)) {
    if (Object.hasOwn(order, folder)) return folder;
  }
  return undefined;
}

/** True when files of folder may use files of target. Both are rows of the table. */
function mayUse(folder: string, target: string, order: Order): boolean {
  return folder === target || (order[folder] ?? []).some((allowed) => isBelow(target, allowed));
}

function allowance(folder: string, verb: string, order: Order): string {
  const allowed = order[folder] ?? [];
  return `${folder} may ${verb} ${allowed.length === 0 ? 'no other folder' : `${allowed.join(', ')} only`}`;
}

/**
 * A line for each folder with files that the table lacks, and for each edge that the table does not
 * allow. Edges to or from a reported folder are left out.
 */
export function againstOrder(
  files: readonly string[],
  edges: readonly Edge[],
  order: Order,
  { verb }: Wording,
): string[] {
  const unknown = new Set(files.filter((file) => folderOf(file, order) === undefined).map(dirname));
  const known = edges.filter(({ from, to }) => !unknown.has(dirname(from)) && !unknown.has(dirname(to)));
  return [
    ...[...unknown].map((folder) => `${folder} is not in the order: add it to ${TABLE}`),
    ...known.flatMap((edge) => {
      const folder = folderOf(edge.from, order) ?? '';
      const target = folderOf(edge.to, order);
      if (target !== undefined && mayUse(folder, target, order)) return [];
      return [`${edge.from} ${verb}s ${edge.to}${symbolsOf(edge)}: ${allowance(folder, verb, order)}`];
    }),
  ];
}
