// SPDX-License-Identifier: MIT
import { join } from 'node:path';
import type { DomainRow } from '../../verbs/domains.ts';
import { table } from './table.ts';

const HEAD = ['NAME', 'DOMID', 'KIND', 'STATUS', 'MEMORY', 'VCPUS', 'UUID', 'CONTAINERS'];

function cells(row: DomainRow): string[] {
  const { name, domid, kind, status, memory, vcpus, uuid } = row;
  const containers = row.containers.map(({ root, id }) => join(root, id)).join(' ');
  return [name, String(domid ?? '-'), kind, status, `${memory} MiB`, String(vcpus), uuid, containers];
}

/** Domains as a table, where each container is its root and its id, or as JSON. */
export function renderDomains(rows: readonly DomainRow[], format: 'table' | 'json'): string {
  return format === 'json' ? `${JSON.stringify(rows)}\n` : table([HEAD, ...rows.map(cells)]);
}
