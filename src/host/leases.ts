// SPDX-License-Identifier: MIT
// The addresses of a bridge that are given out. Each has a folder that is named after it, with one
// file that is named after its owner's UUID and holds the owner's id. A lease is taken as a hold is
// (hold.ts), but belongs to a container, not to a process. It lies in the run folder, which, like
// every domain, does not outlive a reboot.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { claimFolder, dropClaim, namesIn, readIfThere } from './files.ts';

const folderOf = (runDir: string): string => join(runDir, 'leases');
const leaseOf = (runDir: string, bridge: string, address: string): string =>
  join(folderOf(runDir), `${bridge}_${address}`);

// An owner is "UUID ID".
function split(owner: string): { uuid: string; id: string } {
  const [uuid = '', ...id] = owner.split(' ');
  return { uuid, id: id.join(' ') };
}

/** Whose the address is, as "UUID ID", or undefined when it is free. */
export function leaseOwner(runDir: string, bridge: string, address: string): string | undefined {
  const lease = leaseOf(runDir, bridge, address);
  const [uuid] = namesIn(lease);
  const id = uuid === undefined ? undefined : readIfThere(join(lease, uuid));
  return id === undefined ? undefined : `${uuid} ${id}`;
}

/** Takes the address for owner. False when another has it. Of two callers one gets it. */
export function takeLease(runDir: string, bridge: string, address: string, owner: string): boolean {
  mkdirSync(folderOf(runDir), { recursive: true, mode: 0o700 });
  const { uuid, id } = split(owner);
  return (
    claimFolder(leaseOf(runDir, bridge, address), { [uuid]: id }) ||
    leaseOwner(runDir, bridge, address) === owner
  );
}

/** Gives the address back if it is owner's. */
export function dropLease(runDir: string, bridge: string, address: string, owner: string): void {
  dropClaim(leaseOf(runDir, bridge, address), split(owner).uuid);
}
