// SPDX-License-Identifier: MIT
// A container's place on disk and what is written there. Everything else is derived: whether it runs is read off the
// monitor's process, never off a stored word.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { GuestProtocol } from '../domain/kinds/kind.ts';
import type { Network } from '../domain/network.ts';
import type { Size } from '../domain/sizing.ts';
import { errno, VxnError } from '../host/errors.ts';
import { identify, isAlive, type ProcessId } from '../host/process-id.ts';
import type { Limits } from '../spec/resources.ts';
import type { Cgroup } from './cgroup.ts';

/** What is stored of a container; kept in state.json. */
export interface Stored {
  ociVersion: string;
  id: string;
  root: string;
  bundle: string;
  rootfs: string;
  created: string;
  annotations: Record<string, string>;
  /** The domain's UUID and name: ours to destroy. */
  uuid: string;
  domain: string;
  /** The kind of guest; `agent` when it is missing. */
  guest?: GuestProtocol;
  domid?: number;
  /** What the domain has of the host now; update changes it. */
  size?: Size;
  /** The limits after an update; before the first one config.json has them. */
  limits?: Limits;
  /** Who makes it: with no monitor and no living maker it is stopped. */
  maker: ProcessId;
  monitor?: ProcessId;
  /** Stored before it is made, so that it may be there in part or not at all. */
  cgroup?: Cgroup;
  /** Stored before its address is taken. */
  network?: Network;
  /** Its processes run under the filter in places.seccomp. */
  seccomp?: true;
  /** It has hooks, and those of create are still to run or have run. */
  hooks?: 'create' | 'done';
}

export type Status = 'creating' | 'created' | 'running' | 'stopped';

/** Folders and files of one container. */
export interface Places {
  run: string;
  lib: string;
  state: string;
  config: string;
  control: string;
  /** FIFO of requests to the monitor. */
  requests: string;
  /** FIFOs that are held open until the program runs (or never will), and until the domain is gone. */
  startGate: string;
  endGate: string;
  /** The frames that start has for the guest. */
  startFrames: string;
  /** Who calls start, and who calls delete: hold(). */
  starting: string;
  deleting: string;
  started: string;
  /** There since pause until resume: a hint that it is worth asking whether the domain is paused. */
  paused: string;
  exit: string;
  error: string;
  /** Made when the monitor's `xl destroy` has succeeded. */
  gone: string;
  timeline: string;
  /** The value of each process's SECCOMP record. */
  seccomp: string;
  rootDisk: string;
  /** What the monitor runs to make the domain. */
  steps: string;
  domainConfig: string;
  outputLog: string;
  consoleLog: string;
}

/**
 * 64 bits of FNV-1a over UTF-16 code units as 16 hex digits. Not against an enemy: root and id are stored and compared as
 * well. In two halves, because BigInt takes a hundred times as long.
 */
export function shortHash(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < text.length; i++) {
    low = (low ^ text.charCodeAt(i)) >>> 0;
    // Times 2^40 + 0x1b3.
    const product = low * 0x1b3;
    high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + ((low << 8) >>> 0)) >>> 0;
    low = product >>> 0;
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}

/** Throws INVALID_ID unless id is one that runc takes, of at most 1024 characters. */
export function checkId(id: string): void {
  if (!/^[A-Za-z0-9_+.-]{1,1024}$/.test(id) || id === '.' || id === '..') {
    throw new VxnError('INVALID_ID', `invalid container ID: "${id.slice(0, 80)}"`, {
      hint: 'letters, digits and _ + - . are allowed',
    });
  }
}

// An id of up to 64 characters is its own folder name; a longer one is cut, so that control.sock stays within 107 bytes.
function folderName(id: string): string {
  return id.length <= 64 ? id : `${id.slice(0, 47)}-${shortHash(id)}`;
}

function rootKey(root: string): string {
  return shortHash(resolve(root)).slice(0, 8);
}

/** Where the container id of this root (the caller's --root) lives. */
export function placesOf(config: Config, root: string, id: string): Places {
  const run = join(config.runDir, rootKey(root), folderName(id));
  const lib = join(config.libDir, rootKey(root), folderName(id));
  return {
    run,
    lib,
    state: join(run, 'state.json'),
    config: join(run, 'config.json'),
    control: join(run, 'control.sock'),
    requests: join(run, 'requests'),
    startGate: join(run, 'start.gate'),
    endGate: join(run, 'end.gate'),
    startFrames: join(lib, 'start.frames'),
    starting: join(run, 'starting'),
    deleting: join(run, 'deleting'),
    started: join(run, 'started'),
    paused: join(run, 'paused'),
    exit: join(run, 'exit'),
    error: join(run, 'error'),
    gone: join(run, 'gone'),
    timeline: join(run, 'timeline'),
    seccomp: join(lib, 'seccomp'),
    rootDisk: join(lib, 'root.img'),
    steps: join(lib, 'steps'),
    domainConfig: join(lib, 'domain.cfg'),
    outputLog: join(lib, 'output.log'),
    consoleLog: join(lib, 'console.log'),
  };
}

/** The domain's name: readable, and unique over all roots. At most 64 characters. */
export function domainName(root: string, id: string): string {
  return `vxn-${id.slice(0, 40)}-${shortHash(`${resolve(root)}\0${id}`)}`;
}

/** Writes a file so that a reader sees the old or the new one, never a part. Mode 0600. */
export function writeAtomically(file: string, data: string | Buffer): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, data, { mode: 0o600 });
  renameSync(temporary, file);
}

// No id has this character, so nothing that begins with a container's folder and it is another container's.
const CLAIM = '~';

/**
 * Makes the container's folder with its first state in it, both at once: whoever finds the folder finds the state. The first of
 * two callers wins. True when it is the first container of this root since its folder went, as at a boot. Throws ALREADY_EXISTS.
 */
export function claim(places: Places, stored: Stored): boolean {
  const first = mkdirSync(dirname(places.run), { recursive: true, mode: 0o700 }) !== undefined;
  const own = `${places.run}${CLAIM}${process.pid}`;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(own, basename(places.state)), JSON.stringify(stored), { mode: 0o600 });
    // Over an empty folder it succeeds: that is the last thing there is of a container that is being removed.
    renameSync(own, places.run);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (['EEXIST', 'ENOTEMPTY'].includes(errno(error) ?? ''))
      throw new VxnError('ALREADY_EXISTS', 'container with given ID already exists');
    throw error;
  }
  return first;
}

/** Removes what a create of this id has left that was killed before it had claimed it. */
export function removeClaims(places: Places): void {
  const [folder, name] = [dirname(places.run), basename(places.run)];
  for (const entry of namesIn(folder)) {
    const [id, pid] = entry.split(CLAIM);
    if (id === name && pid !== undefined && identify(Number(pid)) === undefined)
      rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Makes the folder of the container's disk and logs, empty: what a crash has left there is nobody's. */
export function makeDiskFolder(places: Places): void {
  rmSync(places.lib, { recursive: true, force: true });
  mkdirSync(places.lib, { recursive: true, mode: 0o700 });
}

export function store(places: Places, stored: Stored): void {
  writeAtomically(places.state, JSON.stringify(stored));
}

/** The stored container, or undefined when there is none. */
export function find(places: Places): Stored | undefined {
  try {
    return JSON.parse(readFileSync(places.state, 'utf8')) as Stored;
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The stored container. Throws DOES_NOT_EXIST. */
export function load(places: Places): Stored {
  const stored = find(places);
  if (stored === undefined) throw new VxnError('DOES_NOT_EXIST', 'container does not exist');
  return stored;
}

/** The value of the SECCOMP record of its processes, if they have one. Throws rather than leave a filter out. */
export function seccompFilter(places: Places, stored: Stored): Buffer | undefined {
  return stored.seccomp === true ? readFileSync(places.seccomp) : undefined;
}

/** How the container is now. */
export function statusOf(places: Places, stored: Stored): Status {
  if (stored.monitor === undefined) return isAlive(stored.maker) ? 'creating' : 'stopped';
  if (!isAlive(stored.monitor)) return 'stopped';
  if (stored.hooks === 'create') return isAlive(stored.maker) ? 'creating' : 'stopped';
  return existsSync(places.started) ? 'running' : 'created';
}

/** The names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Every container of a root, by name. */
export function listStored(config: Config, root: string): { places: Places; stored: Stored }[] {
  const names = namesIn(join(config.runDir, rootKey(root))).sort();
  return names.flatMap((name) => {
    if (name.includes(CLAIM)) return [];
    // The folder of a long id is not its name; the state says the id.
    const stored = find(placesOf(config, root, name));
    return stored === undefined ? [] : [{ places: placesOf(config, root, stored.id), stored }];
  });
}
