// SPDX-License-Identifier: MIT

import type { Context } from '../domain/context.ts';
import { type ContainerRef, type Domain, isWatched, listDomains } from '../domain/domain.ts';

/** A domain of ours, for people. */
export interface DomainRow {
  uuid: string;
  name: string;
  /** undefined until its monitor watches it. */
  domid: number | undefined;
  kind: Domain['kind'];
  /** `ended`: its monitor is gone, and delete has not removed the files yet. */
  status: 'creating' | 'running' | 'ended';
  /** MiB. */
  memory: number;
  vcpus: number;
  containers: readonly ContainerRef[];
}

function statusOf(domain: Domain): DomainRow['status'] {
  if (domain.monitor === undefined) return 'creating';
  return isWatched(domain) ? 'running' : 'ended';
}

/** `domains`: every domain that vxn has made in this Dom0, with its containers of all roots. */
export function domains({ config }: Context): DomainRow[] {
  return listDomains(config).map((domain) => ({
    uuid: domain.uuid,
    name: domain.name,
    domid: domain.domid,
    kind: domain.kind,
    status: statusOf(domain),
    memory: domain.size.memory,
    vcpus: domain.size.vcpus,
    containers: domain.containers,
  }));
}
