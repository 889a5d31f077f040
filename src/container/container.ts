// SPDX-License-Identifier: MIT
// An OCI container: its files and its stored state. Everything else is derived. The state never
// says whether the container runs: the process of its holder shows that.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { type DomainPlaces, domainPlaces } from '../domain/domain.ts';
import { VxnError } from '../host/errors.ts';
import type { ProcessId } from '../host/process-id.ts';
import { shortHash } from '../host/short-hash.ts';
import type { Limits } from '../spec/resources.ts';
import type { Cgroup } from './cgroup.ts';

/** The layout of state.json. The first layout had no number. */
export const STATE_FORMAT = 2;

/** The domain of a container that an earlier build of vxn has made, as state.json describes it. */
export interface Legacy {
  uuid: string;
  name: string;
  domid?: number;
  network?: { bridge?: string; address?: string };
}

/** The stored state of a container, in state.json. */
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
  /** The process that makes it. Without a holder and a living maker the container is stopped. */
  maker: ProcessId;
  /** The process in Dom0 that stands for its first process. Engines know this pid. */
  holder?: ProcessId;
  /** The limits after an update. Before the first update config.json has them. */
  limits?: Limits;
  /** Stored before the cgroup is made. So the cgroup may be incomplete or missing. */
  cgroup?: Cgroup;
  /** Its processes run under the filter in places.seccomp. */
  seccomp?: true;
  /** It has hooks. `create` hooks are still to run, or they are `done`. */
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
  /** FIFO that a process holds open until the program runs, or can no longer start. */
  startGate: string;
  /** The frames that start sends to the guest. */
  startFrames: string;
  /** Held with hold() by the call that starts the container. */
  starting: string;
  /** Held with hold() by the call that deletes the container. */
  deleting: string;
  started: string;
  exit: string;
  error: string;
  timeline: string;
  /** The value of the SECCOMP record of every process. */
  seccomp: string;
  rootDisk: string;
  /** The list of programs that make the domain, for the monitor. */
  steps: string;
  outputLog: string;
}

/** Throws INVALID_ID unless runc would take the id, and it has at most 1024 characters. */
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

/** The name of the folder for the containers of a root. */
export function rootKey(root: string): string {
  return shortHash(resolve('/', root)).slice(0, 8);
}

/** The files of the container id. root: the caller's --root, an absolute path. */
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

/** The files of the container's domain. */
export function domainOf(config: Pick<Config, 'runDir' | 'libDir'>, container: Container): DomainPlaces {
  return domainPlaces(config, container.domain);
}

/**
 * The name of a container's own domain. It is readable, unique over all roots, and has at most 64
 * characters.
 */
export function domainName(root: string, id: string): string {
  return `vxn-${id.slice(0, 40)}-${shortHash(`${resolve('/', root)}\0${id}`)}`;
}

/**
 * The value of the SECCOMP record of the container's processes, or undefined when they have no
 * filter. Throws when the filter cannot be read, so that no process runs without it.
 */
export function seccompFilter(places: Places, { seccomp }: Container): Buffer | undefined {
  return seccomp === true ? readFileSync(places.seccomp) : undefined;
}
