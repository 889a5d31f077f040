// SPDX-License-Identifier: MIT
// The stored containers: makes, replaces, finds and lists state.json.
import { mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { CLAIM_MARK, claimFolder, namesIn, readIfThere, replaceFile } from '../host/files.ts';
import { identify } from '../host/process-id.ts';
import { type Container, type Places, placesOf, rootKey, STATE_FORMAT } from './container.ts';
import { readLegacy } from './legacy.ts';

/**
 * Makes the container's folder together with its first state. Nobody sees the folder without the
 * state. The first of two callers wins. Gives true for the first container of this root since the
 * root's folder was made, as after a boot. Throws ALREADY_EXISTS.
 */
export function claim(places: Places, container: Container): boolean {
  const first = mkdirSync(dirname(places.run), { recursive: true, mode: 0o700 }) !== undefined;
  // This also replaces an empty folder, the rest of a container that is being removed.
  if (claimFolder(places.run, { [basename(places.state)]: JSON.stringify(container) })) return first;
  throw new VxnError('ALREADY_EXISTS', 'container with given ID already exists');
}

/** Removes claims on this id that a killed create has left. */
export function removeClaims(places: Places): void {
  const [folder, name] = [dirname(places.run), basename(places.run)];
  for (const entry of namesIn(folder)) {
    // Ids cannot contain `~`, so `FOLDER~PID` can only be a claim on FOLDER.
    const [id, pid] = entry.split(CLAIM_MARK);
    if (id === name && pid !== undefined && identify(Number(pid)) === undefined)
      rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Makes an empty folder for the container's disk and logs. A crash may have left an old one. */
export function makeDiskFolder(places: Places): void {
  rmSync(places.lib, { recursive: true, force: true });
  mkdirSync(places.lib, { recursive: true, mode: 0o700 });
}

/** Stores the container's state in place of the earlier one. */
export function store(places: Places, container: Container): void {
  replaceFile(places.state, JSON.stringify(container));
}

function parseState(text: string): Container {
  const stored = JSON.parse(text) as Container;
  return stored.format === STATE_FORMAT ? stored : readLegacy(stored);
}

/** The stored container, or undefined when there is none. */
export function find(places: Places): Container | undefined {
  const text = readIfThere(places.state);
  return text === undefined ? undefined : parseState(text);
}

/**
 * The stored container, even when an earlier build has made it. Such a container can be looked at,
 * signalled and deleted. Throws DOES_NOT_EXIST.
 */
export function loadAny(places: Places): Container {
  const container = find(places);
  if (container === undefined) throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  return container;
}

/**
 * The stored container. Throws DOES_NOT_EXIST, and UNSUPPORTED when an earlier build has made it.
 */
export function load(places: Places): Container {
  const container = loadAny(places);
  if (container.legacy !== undefined) {
    throw new VxnError('UNSUPPORTED', 'this container was made by an earlier version of vxn', {
      hint: 'state, list, ps, kill and delete work with it; create it again for everything else',
    });
  }
  return container;
}

/** All containers of a root, in the order of their folders. */
export function listContainers(
  config: Pick<Config, 'runDir' | 'libDir'>,
  root: string,
): { places: Places; container: Container }[] {
  const names = namesIn(join(config.runDir, rootKey(root))).sort();
  return names.flatMap((name) => {
    if (name.includes(CLAIM_MARK)) return [];
    // The folder of a long id has a shorter name. The state has the whole id.
    const container = find(placesOf(config, root, name));
    return container === undefined ? [] : [{ places: placesOf(config, root, container.id), container }];
  });
}
