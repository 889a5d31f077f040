// SPDX-License-Identifier: MIT
// A Xen domain of ours: its files and its stored state. The state never says whether the domain
// lives: its monitor shows that.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { namesIn, readIfThere, replaceFile } from '../host/files.ts';
import { isAlive, type ProcessId } from '../host/process-id.ts';
import type { Size } from '../xen/domain-config.ts';
import type { KindName } from './kinds/kind.ts';
import type { Network } from './network.ts';

/** The container of a root that lives in a domain. */
export interface ContainerRef {
  root: string;
  id: string;
}

/** The stored state of a domain, in domain.json. */
export interface Domain {
  uuid: string;
  /** Its name in `xl list`. */
  name: string;
  kind: KindName;
  /** Its size now. `update` changes it. */
  size: Size;
  containers: readonly ContainerRef[];
  /** Stored before its address is taken. */
  network?: Network;
  domid?: number;
  monitor?: ProcessId;
}

/** Folders and files of one domain. */
export interface DomainPlaces {
  /** Volatile state. */
  run: string;
  /** Configuration and logs. */
  lib: string;
  state: string;
  /** The monitor's control socket. */
  control: string;
  /** FIFO of requests to the monitor. architecture.md says why there is one beside the socket. */
  requests: string;
  /** FIFO that a process holds open until the domain is gone. */
  endGate: string;
  /** Made when the monitor's `xl destroy` has succeeded. */
  gone: string;
  /** Exists from pause to resume, so that start and exec ask Xen only in this time. */
  paused: string;
  /** xl.cfg(5). */
  config: string;
  consoleLog: string;
}

/** The folder of all domains below runDir, and below libDir. */
export const DOMAINS = 'domains';

/** Where the domain of this UUID has its files. */
export function domainPlaces(config: Pick<Config, 'runDir' | 'libDir'>, uuid: string): DomainPlaces {
  const run = join(config.runDir, DOMAINS, uuid);
  const lib = join(config.libDir, DOMAINS, uuid);
  return {
    run,
    lib,
    state: join(run, 'domain.json'),
    control: join(run, 'control.sock'),
    requests: join(run, 'requests'),
    endGate: join(run, 'end.gate'),
    gone: join(run, 'gone'),
    paused: join(run, 'paused'),
    config: join(lib, 'domain.cfg'),
    consoleLog: join(lib, 'console.log'),
  };
}

/** Makes the domain's folders, and stores its state. */
export function makeDomain(places: DomainPlaces, domain: Domain): void {
  for (const folder of [places.run, places.lib]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  storeDomain(places, domain);
}

/** Stores the domain's state in place of the earlier one. */
export function storeDomain(places: DomainPlaces, domain: Domain): void {
  replaceFile(places.state, JSON.stringify(domain));
}

/** The stored domain, or undefined when there is none. */
export function findDomain(places: DomainPlaces): Domain | undefined {
  const text = readIfThere(places.state);
  return text === undefined ? undefined : (JSON.parse(text) as Domain);
}

/** The stored domain. Throws WRONG_STATE when there is none, or none any more. */
export function loadDomain(places: DomainPlaces): Domain {
  const domain = findDomain(places);
  if (domain === undefined) throw new VxnError('WRONG_STATE', 'container not running');
  return domain;
}

/** Every stored domain, in the order of their UUIDs. */
export function listDomains(config: Pick<Config, 'runDir' | 'libDir'>): Domain[] {
  return namesIn(join(config.runDir, DOMAINS))
    .sort()
    .flatMap((uuid) => findDomain(domainPlaces(config, uuid)) ?? []);
}

/** True while the domain has a living monitor. */
export const isWatched = ({ monitor }: Domain): boolean => monitor !== undefined && isAlive(monitor);
