// SPDX-License-Identifier: MIT
// The cgroup in Dom0 of a container's monitor and holders (runtime-spec config-linux.md,
// cgroupsPath). It accounts for these processes and finds them. The program's memory belongs to the
// domain, so no limit is set here.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { until } from '../host/wait.ts';
import { invalid } from '../spec/read.ts';

/** The folders of a container's cgroup, over all hierarchies. */
export interface Cgroup {
  /** The folder in each hierarchy that the processes join. */
  join: string[];
  /** The folders that vxn makes and removes, outer ones first. */
  made: string[];
}

/** A mounted cgroup hierarchy. */
export interface Hierarchy {
  mount: string;
  version: 1 | 2;
  cpuset: boolean;
}

const REMOVE_MS = 5000;
const DEFAULT_PARENT = '/vxn';

/** The path of a systemd slice: `a-b.slice` gives /a.slice/a-b.slice (systemd.slice(5)). */
function slicePath(slice: string): string {
  if (slice === '' || slice === '-.slice') return '';
  const name = slice.endsWith('.slice') ? slice.slice(0, -'.slice'.length) : '';
  const parts = name.split('-');
  if (name.includes('/') || parts.some((part) => part === ''))
    throw invalid('linux.cgroupsPath', `names no valid systemd slice: "${slice}"`);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('-')}.slice`).join('');
}

/**
 * The path that linux.cgroupsPath names, below the root of a hierarchy. A relative path starts at
 * /vxn. Engines with systemd cgroups write `slice:prefix:name` instead. Throws INVALID_SPEC.
 */
export function cgroupPath(cgroupsPath: string): string {
  const systemd = /^([^/:]*):([^/:]*):([^/:]+)$/.exec(cgroupsPath);
  if (systemd === null) {
    const path = normalize(cgroupsPath.startsWith('/') ? cgroupsPath : `/${cgroupsPath}`);
    const whole = (cgroupsPath.startsWith('/') ? path : `${DEFAULT_PARENT}${path}`).replace(/\/$/, '');
    if (whole === '' || whole === DEFAULT_PARENT)
      throw invalid('linux.cgroupsPath', `names no cgroup: "${cgroupsPath}"`);
    return whole;
  }
  const [, slice = '', prefix = '', name = ''] = systemd;
  const parent = slicePath(slice === '' ? 'system.slice' : slice);
  if (name.endsWith('.slice')) return `${parent}/${name}`;
  return `${parent}/${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
}

const unescapeMount = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * The cgroup hierarchies in a mountinfo (proc(5)), each with one mount. A mount of a whole
 * hierarchy is preferred to a mount of a part.
 */
export function hierarchies(mountinfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy & { whole: boolean }>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', root, mount = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const whole = root === '/';
    if (found.has(device) && (found.get(device)?.whole === true || !whole)) continue;
    found.set(device, {
      mount: unescapeMount(mount),
      version: type === 'cgroup2' ? 2 : 1,
      cpuset: options.split(',').includes('cpuset'),
      whole,
    });
  }
  return [...found.values()].map(({ mount, version, cpuset }) => ({ mount, version, cpuset }));
}

function folders(hierarchy: Hierarchy, path: string): string[] {
  const steps = path.split('/').filter((step) => step !== '');
  return steps.map((_, i) => join(hierarchy.mount, ...steps.slice(0, i + 1)));
}

/** The folders that path makes and joins. Nothing is changed. */
export function planCgroup(found: readonly Hierarchy[], path: string): Cgroup {
  const all = found.map((hierarchy) => folders(hierarchy, path));
  return {
    join: all.flatMap((steps) => steps.slice(-1)),
    made: all.flat().filter((folder) => !existsSync(folder)),
  };
}

// A cpuset of cgroup v1 takes no process before it has processors and memory.
function fillCpuset(folder: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readFileSync(join(folder, file), 'utf8').trim() !== '') continue;
    writeFileSync(join(folder, file), readFileSync(join(folder, '..', file)));
  }
}

// A cgroup accounts with the controllers that its parent enables. A controller that is not
// available is no error.
function enableControllers(folder: string): void {
  try {
    const words = (file: string): string[] => readFileSync(join(folder, file), 'utf8').trim().split(/\s+/);
    const enabled = words('cgroup.subtree_control');
    for (const name of words('cgroup.controllers')) {
      if (name === '' || enabled.includes(name)) continue;
      try {
        writeFileSync(join(folder, 'cgroup.subtree_control'), `+${name}`);
      } catch {
        // It is busy, or somebody else manages it.
      }
    }
  } catch {
    // This is no cgroup of v2 that we may read.
  }
}

function makeIn(hierarchy: Hierarchy, path: string): void {
  let parent = hierarchy.mount;
  for (const folder of folders(hierarchy, path)) {
    if (hierarchy.version === 2) enableControllers(parent);
    try {
      mkdirSync(folder);
    } catch (error) {
      if (errno(error) !== 'EEXIST') throw error;
    }
    if (hierarchy.cpuset && hierarchy.version === 1) fillCpuset(folder);
    parent = folder;
  }
}

/** Makes the cgroup in every hierarchy. Throws the error of the file system. */
export function makeCgroup(found: readonly Hierarchy[], path: string): void {
  for (const hierarchy of found) {
    for (let attempt = 1; ; attempt++) {
      try {
        makeIn(hierarchy, path);
        break;
      } catch (error) {
        // A delete has removed an outer folder between two of our steps.
        if (errno(error) !== 'ENOENT' || attempt === 10) throw error;
      }
    }
  }
}

function removeTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  rmdirSync(folder);
}

// Gives undefined when the folder is gone, else the reason why it stays.
function tryRemove(folder: string, whole: boolean): string | undefined {
  try {
    if (whole) removeTree(folder);
    else rmdirSync(folder);
  } catch (error) {
    if (errno(error) !== 'ENOENT' && errno(error) !== 'ENOTDIR') return messageOf(error);
  }
  return undefined;
}

/**
 * Removes the cgroups that were made, inner folders first. Empty cgroups below the container's own
 * go as well. An outer folder that others use by now stays. Waits up to five seconds for processes
 * that are about to end. Throws HOST when the container's own cgroup stays.
 */
export async function removeCgroup(cgroup: Cgroup): Promise<void> {
  for (const folder of [...cgroup.made].reverse()) {
    const own = cgroup.join.includes(folder);
    let reason = tryRemove(folder, own);
    const isGone = (): boolean => {
      reason = tryRemove(folder, own);
      return reason === undefined;
    };
    if (own && reason !== undefined) await until(isGone, { timeoutMs: REMOVE_MS, firstMs: 20, maxMs: 20 });
    if (own && reason !== undefined)
      throw new VxnError('HOST', `cannot remove the cgroup ${folder}: ${reason}`, {
        hint: `other processes are in it: see ${folder}/cgroup.procs, then delete again`,
      });
  }
}

/** The cgroup that a container needs on this machine. */
export interface CgroupRequest {
  found: Hierarchy[];
  path: string;
  /** config.json names the cgroup, so a failure to make it is an error. */
  asked: boolean;
}

/**
 * The cgroup for a container on this machine: its linux.cgroupsPath, or /vxn/NAME. Throws
 * INVALID_SPEC.
 */
export function cgroupRequest(cgroupsPath: string | undefined, name: string): CgroupRequest {
  const asked = cgroupsPath !== undefined && cgroupsPath !== '';
  return {
    found: hierarchies(readFileSync('/proc/self/mountinfo', 'utf8')),
    path: asked ? cgroupPath(cgroupsPath) : `${DEFAULT_PARENT}/${name}`,
    asked,
  };
}

/**
 * Makes the requested cgroup. Gives false, and leaves nothing behind, when that fails and
 * config.json does not name the cgroup. Throws HOST when config.json names it.
 */
export async function provideCgroup(request: CgroupRequest, cgroup: Cgroup): Promise<boolean> {
  const { found, path, asked } = request;
  try {
    if (found.length === 0) throw new Error('no cgroup file system is mounted');
    makeCgroup(found, path);
    return true;
  } catch (error) {
    if (asked) {
      throw new VxnError('HOST', `cannot make the cgroup ${path}: ${messageOf(error)}`, {
        hint: 'config.json asks for it in linux.cgroupsPath; is /sys/fs/cgroup mounted, and writable?',
      });
    }
    await removeCgroup(cgroup);
    return false;
  }
}
