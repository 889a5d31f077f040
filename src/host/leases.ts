// SPDX-License-Identifier: MIT
// Who has which address of a bridge: a file for each, named after it and holding its owner. A domain does not outlive a reboot,
// and neither does what lies in the run folder.
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errno } from './errors.ts';

const folderOf = (runDir: string): string => join(runDir, 'leases');
const fileOf = (runDir: string, bridge: string, address: string): string =>
  join(folderOf(runDir), `${bridge}_${address}`);

/** Whose the address is, or undefined when it is free. */
export function leaseOwner(runDir: string, bridge: string, address: string): string | undefined {
  try {
    return readFileSync(fileOf(runDir, bridge, address), 'utf8');
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes the address for owner. False when another has it; of two callers one gets it. */
export function takeLease(runDir: string, bridge: string, address: string, owner: string): boolean {
  const folder = folderOf(runDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = join(folder, `.${process.pid}`);
  writeFileSync(own, owner, { mode: 0o600 });
  try {
    linkSync(own, fileOf(runDir, bridge, address));
    return true;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    return leaseOwner(runDir, bridge, address) === owner;
  } finally {
    unlinkSync(own);
  }
}

/** Gives the address back if it is owner's. */
export function dropLease(runDir: string, bridge: string, address: string, owner: string): void {
  if (leaseOwner(runDir, bridge, address) === owner) unlinkSync(fileOf(runDir, bridge, address));
}
