// SPDX-License-Identifier: MIT
// The stored containers: making, replacing, finding and listing state.json.
import { mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { CLAIM_MARK, claimFolder, namesIn, readIfThere, replaceFile } from '../host/files.ts';
import { identify } from '../host/process-id.ts';
import { type Container, type Places, placesOf, rootKey, STATE_FORMAT } from './container.ts';
import { readLegacy } from './legacy.ts';

/**
 * Makes the container's folder with its first state in it, both at once: whoever finds the folder
 * finds the state. The first of two callers wins. Gives true when it is the first container of
 * this root since the root's folder went, as at a boot. Throws ALREADY_EXISTS.
 */
export function claim(places: Places, container: Container): boolean {
  const first = mkdirSync(dirname(places.run), { recursive: true, mode: 0o700 }) !== undefined;
  // Over an empty folder it succeeds: that is the rest of a container that is being removed.
  if (claimFolder(places.run, { [basename(places.state)]: JSON.stringify(container) })) return first;
  throw new VxnError('ALREADY_EXISTS', 'container with given ID already exists');
}

/** Removes claims on this id whose create was killed before its container was there. */
export function removeClaims(places: Places): void {
  const [folder, name] = [dirname(places.run), basename(places.run)];
  for (const entry of namesIn(folder)) {
    // Ids cannot contain `~`, so `FOLDER~PID` can only be a claim on FOLDER.
    const [id, pid] = entry.split(CLAIM_MARK);
    if (id === name && pid !== undefined && identify(Number(pid)) === undefined)
      rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Makes the folder of the container's disk and logs, empty. A crash may have left one. */
export function makeDiskFolder(places: Places): void {
  rmSync(places.lib, { recursive: true, force: true });
  mkdirSync(places.lib, { recursive: true, mode: 0o700 });
}

/** Stores what is known of the container, in place of what was stored before. */
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
 * The stored container, also one that an earlier build has made: those can be looked at, signalled
 * and deleted. Throws DOES_NOT_EXIST.
 */
export function loadAny(places: Places): Container {
  const container = find(places);
  if (container === undefined) throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  return container;
}

/** The stored container. Throws DOES_NOT_EXIST, UNSUPPORTED when an earlier build has made it. */
export function load(places: Places): Container {
  const container = loadAny(places);
  if (container.legacy !== undefined) {
    throw new VxnError('UNSUPPORTED', 'this container was made by an earlier version of vxn', {
      hint: 'state, list, ps, kill and delete work with it; create it again for everything else',
    });
  }
  return container;
}

/** Every container of a root, by name. */
export function listContainers(
  config: Pick<Config, 'runDir' | 'libDir'>,
  root: string,
): { places: Places; container: Container }[] {
  const names = namesIn(join(config.runDir, rootKey(root))).sort();
  return names.flatMap((name) => {
    if (name.includes(CLAIM_MARK)) return [];
    // The folder of a long id is not its name. The state says the id.
    const container = find(placesOf(config, root, name));
    return container === undefined ? [] : [{ places: placesOf(config, root, container.id), container }];
  });
}
