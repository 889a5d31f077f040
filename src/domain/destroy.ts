// SPDX-License-Identifier: MIT
// Ends a domain, from any state that a crash can leave. Doing it twice does no harm.
import { existsSync } from 'node:fs';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { removeFolder } from '../host/files.ts';
import { waitAtGate } from '../host/gate.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import { type ContainerRef, type Domain, type DomainPlaces, findDomain } from './domain.ts';
import { lazy } from './lazy.ts';

/**
 * Asks the monitor to end the domain. Its holder then exits with 137, as after a SIGKILL. Gives
 * false when no monitor listens.
 */
export function killDomain(places: DomainPlaces): boolean {
  return request(places.requests, encodeFrame(Type.Kill, 0));
}

/**
 * Destroys the domain through the toolstack if it exists and is ours. Throws TOOLSTACK when it
 * stays, or when the toolstack does not answer.
 */
export function destroyOwn(
  toolstack: Toolstack,
  { uuid, name, domid }: Pick<Domain, 'uuid' | 'name' | 'domid'>,
): void {
  const ours =
    domid === undefined
      ? toolstack.findDomain(name, uuid)
      : toolstack.isOurs(domid, uuid)
        ? domid
        : undefined;
  if (ours === undefined) return;
  toolstack.destroy(ours);
  if (toolstack.isOurs(ours, uuid)) {
    throw new VxnError('TOOLSTACK', `domain ${ours} (${name}) could not be destroyed`, {
      hint: `look at xl list and /var/log/xen; then delete again`,
    });
  }
}

/**
 * Waits until a domain is gone whose monitor has ended, and destroys it if nobody else does. Gives
 * back its address. owner: the container that took the address. The files of the domain stay.
 * Throws TOOLSTACK.
 */
export async function endDomain(
  config: Config,
  toolstack: () => Promise<Toolstack>,
  places: DomainPlaces,
  owner: ContainerRef,
): Promise<void> {
  const domain = findDomain(places);
  // A domain is stored before it is made.
  if (domain === undefined) return;
  // The monitor's `xl destroy` holds the gate as long as it works.
  if (!existsSync(places.gone)) waitAtGate(places.endGate);
  if (!existsSync(places.gone)) destroyOwn(await toolstack(), domain);
  const { network, uuid } = domain;
  if (network?.address !== undefined)
    (await lazy.bridge()).giveBackAddress(network, config, { uuid, id: owner.id });
}

/** Removes the folders of a domain that has ended. */
export function removeDomainFiles(places: DomainPlaces): void {
  removeFolder(places.lib);
  removeFolder(places.run);
}
