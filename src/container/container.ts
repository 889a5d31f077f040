// SPDX-License-Identifier: MIT
// An OCI container: where its files are, and what is stored of it. Everything else is derived:
// whether it runs is read off its holder's process, never off a stored word.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { type DomainPlaces, domainPlaces } from '../domain/domain.ts';
import { VxnError } from '../host/errors.ts';
import type { ProcessId } from '../host/process-id.ts';
import { shortHash } from '../host/short-hash.ts';
import type { Limits } from '../spec/resources.ts';
import type { Cgroup } from './cgroup.ts';

/** The layout of state.json. Its first one had no number. */
export const STATE_FORMAT = 2;

/** What the state of a container whose domain has no state of its own says of the domain. */
export interface Legacy {
  uuid: string;
  name: string;
  domid?: number;
  network?: { bridge?: string; address?: string };
}

/** What is stored of a container, in state.json. */
export interface Container {
  format: typeof STATE_FORMAT;
  ociVersion: string;
  id: string;
  root: string;
  bundle: string;
  rootfs: string;
  created: string;
  annotations: Record<string, string>;
  /** UUID of the domain that it lives in. */
  domain: string;
  /** Who makes it. Without a holder and a living maker the container is stopped. */
  maker: ProcessId;
  /** The process that stands for its first process in Dom0: the engine's pid. */
  holder?: ProcessId;
  /** The limits after an update. Before the first one config.json has them. */
  limits?: Limits;
  /** Stored before it is made, so that it may be there in part or not at all. */
  cgroup?: Cgroup;
  /** Its processes run under the filter in places.seccomp. */
  seccomp?: true;
  /** It has hooks. Those of create are still to run, or have run. */
  hooks?: 'create' | 'done';
  /** An earlier build of vxn made it. */
  legacy?: Legacy;
}

/** Folders and files of one container. */
export interface Places {
  /** Volatile state. */
  run: string;
  /** Root disk and logs. */
  lib: string;
  state: string;
  config: string;
  /** FIFO that is held open until the program runs, or never will. */
  startGate: string;
  /** The frames that start has for the guest. */
  startFrames: string;
  /** Who calls start, and who calls delete: hold(). */
  starting: string;
  deleting: string;
  started: string;
  exit: string;
  error: string;
  timeline: string;
  /** The value of each process's SECCOMP record. */
  seccomp: string;
  rootDisk: string;
  /** The programs that make the domain, for the monitor. */
  steps: string;
  outputLog: string;
}

/** Throws INVALID_ID unless id is one that runc takes, of at most 1024 characters. */
export function checkId(id: string): void {
  if (!/^[A-Za-z0-9_+.-]{1,1024}$/.test(id) || id === '.' || id === '..') {
    throw new VxnError('INVALID_ID', `invalid container ID: "${id.slice(0, 80)}"`, {
      hint: 'letters, digits and _ + - . are allowed',
    });
  }
}

// An id of up to 64 characters is its own folder name. A longer one is cut.
function folderName(id: string): string {
  return id.length <= 64 ? id : `${id.slice(0, 47)}-${shortHash(id)}`;
}

/** The name of the folder of a root's containers. */
export function rootKey(root: string): string {
  return shortHash(resolve('/', root)).slice(0, 8);
}

/** Where the container id of this root (the caller's --root, an absolute path) has its files. */
export function placesOf(config: Pick<Config, 'runDir' | 'libDir'>, root: string, id: string): Places {
  const run = join(config.runDir, rootKey(root), folderName(id));
  const lib = join(config.libDir, rootKey(root), folderName(id));
  return {
    run,
    lib,
    state: join(run, 'state.json'),
    config: join(run, 'config.json'),
    startGate: join(run, 'start.gate'),
    startFrames: join(lib, 'start.frames'),
    starting: join(run, 'starting'),
    deleting: join(run, 'deleting'),
    started: join(run, 'started'),
    exit: join(run, 'exit'),
    error: join(run, 'error'),
    timeline: join(run, 'timeline'),
    seccomp: join(lib, 'seccomp'),
    rootDisk: join(lib, 'root.img'),
    steps: join(lib, 'steps'),
    outputLog: join(lib, 'output.log'),
  };
}

/** Where the container's domain has its files. */
export function domainOf(config: Pick<Config, 'runDir' | 'libDir'>, container: Container): DomainPlaces {
  return domainPlaces(config, container.domain);
}

/** The name of a container's own domain: readable, and unique over all roots. At most 64 characters. */
export function domainName(root: string, id: string): string {
  return `vxn-${id.slice(0, 40)}-${shortHash(`${resolve('/', root)}\0${id}`)}`;
}

/** The value of the SECCOMP record of its processes, if they have one. Throws rather than leave a filter out. */
export function seccompFilter(places: Places, { seccomp }: Container): Buffer | undefined {
  return seccomp === true ? readFileSync(places.seccomp) : undefined;
}
