// SPDX-License-Identifier: MIT
// The part of an OCI configuration (runtime-spec config.md, config-linux.md) that vxn acts on,
// checked.
import { VxnError } from '../host/errors.ts';
import { capabilityBit } from './capabilities.ts';
import { propagationFlag } from './mount-options.ts';
import {
  absolutePath,
  boolean,
  integer,
  invalid,
  type Json,
  list,
  object,
  optionalInteger,
  optionalObject,
  optionalString,
  string,
  stringMap,
} from './read.ts';
import { type Limits, parseLimits } from './resources.ts';
import { rlimitNumber } from './rlimits.ts';
import { parseVm, type Vm } from './vm.ts';

export const OCI_VERSION = '1.3.0';
const U32 = 0xffffffff;

/** A resource limit. type is the number of RLIMIT_*, and 2^64 - 1 stands for RLIM_INFINITY. */
export interface Rlimit {
  type: number;
  soft: bigint;
  hard: bigint;
}

/** Sets of capabilities. Bit N stands for capability N. */
export interface Capabilities {
  bounding: bigint;
  effective: bigint;
  inheritable: bigint;
  permitted: bigint;
  ambient: bigint;
}

export interface Process {
  terminal: boolean;
  consoleSize: { height: number; width: number } | undefined;
  args: string[];
  env: string[];
  cwd: string;
  uid: number;
  gid: number;
  additionalGids: number[];
  umask: number | undefined;
  rlimits: Rlimit[];
  capabilities: Capabilities | undefined;
  noNewPrivileges: boolean;
  oomScoreAdj: number | undefined;
}

export interface Mount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface Device {
  path: string;
  type: 'c' | 'b' | 'p';
  major: number;
  minor: number;
  mode: number;
  uid: number;
  gid: number;
}

export interface Spec {
  root: { path: string; readonly: boolean };
  hostname: string | undefined;
  domainname: string | undefined;
  process: Process | undefined;
  mounts: Mount[];
  annotations: Record<string, string>;
  /** Path of each namespace by type, '' for a fresh one. */
  namespaces: Map<string, string>;
  maskedPaths: string[];
  readonlyPaths: string[];
  sysctl: Record<string, string>;
  devices: Device[];
  /** The propagation flag of mount(2), or 0n when config.json names none. */
  rootPropagation: bigint;
  cgroupsPath: string | undefined;
  limits: Limits;
  vm: Vm | undefined;
}

function capabilitySet(value: unknown, path: string): bigint {
  const names = list(value, path, string);
  return names.reduce((set, name, i) => {
    const bit = capabilityBit(name);
    if (bit === undefined) throw invalid(`${path}[${i}]`, `is not a capability: "${name}"`);
    return set | bit;
  }, 0n);
}

function capabilities(value: Json, path: string): Capabilities {
  return {
    bounding: capabilitySet(value.bounding, `${path}.bounding`),
    effective: capabilitySet(value.effective, `${path}.effective`),
    inheritable: capabilitySet(value.inheritable, `${path}.inheritable`),
    permitted: capabilitySet(value.permitted, `${path}.permitted`),
    ambient: capabilitySet(value.ambient, `${path}.ambient`),
  };
}

// JSON.parse rounds numbers above 2^53. RLIM_INFINITY, the only one that matters, becomes 2^64.
function limit(value: unknown, path: string): bigint {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw invalid(path, 'must be an integer');
  const infinity = 0xffff_ffff_ffff_ffffn;
  const n = BigInt(value);
  return n > infinity ? infinity : n;
}

function rlimits(value: unknown, path: string): Rlimit[] {
  const seen = new Set<number>();
  return list(value, path, (v, at) => {
    const o = object(v, at);
    const name = string(o.type, `${at}.type`);
    const type = rlimitNumber(name);
    if (type === undefined) throw invalid(`${at}.type`, `is not a resource limit: "${name}"`);
    if (seen.has(type)) throw invalid(`${at}.type`, `appears twice: "${name}"`);
    seen.add(type);
    const [soft, hard] = [limit(o.soft, `${at}.soft`), limit(o.hard, `${at}.hard`)];
    if (soft > hard) throw invalid(at, 'has a soft limit above the hard one');
    return { type, soft, hard };
  });
}

/** An entry of an environment: NAME=value. Throws INVALID_SPEC. */
export function environmentEntry(value: unknown, path: string): string {
  const s = string(value, path);
  if (s.indexOf('=') <= 0) throw invalid(path, `must be NAME=value, not "${s}"`);
  return s;
}

const SEE_LIMITS = 'see docs/limitations.md';

/**
 * Refuses properties that would have no effect in the guest, instead of dropping them. An empty
 * list asks for nothing and is accepted.
 */
function refuseAll(o: Json, path: string, names: readonly string[]): void {
  for (const name of names) {
    const value = o[name] ?? [];
    if (!Array.isArray(value) || value.length > 0)
      throw new VxnError('UNSUPPORTED', `${path}.${name} is not supported`, { hint: SEE_LIMITS });
  }
}

/** The process of a configuration or of `exec --process`. Throws INVALID_SPEC, UNSUPPORTED. */
export function parseProcess(value: unknown, path = 'process'): Process {
  const p = object(value, path);
  refuseAll(p, path, ['scheduler', 'ioPriority', 'execCPUAffinity']);
  const args = list(p.args, `${path}.args`, string);
  if (args.length === 0) throw invalid(`${path}.args`, 'must not be empty');
  const user = optionalObject(p.user, `${path}.user`) ?? {};
  const size = optionalObject(p.consoleSize, `${path}.consoleSize`);
  const caps = optionalObject(p.capabilities, `${path}.capabilities`);
  return {
    terminal: boolean(p.terminal, `${path}.terminal`),
    consoleSize: size && {
      height: integer(size.height, `${path}.consoleSize.height`, 0, 0xffff),
      width: integer(size.width, `${path}.consoleSize.width`, 0, 0xffff),
    },
    args,
    env: list(p.env, `${path}.env`, environmentEntry),
    cwd: absolutePath(p.cwd, `${path}.cwd`),
    uid: optionalInteger(user.uid, `${path}.user.uid`, 0, U32) ?? 0,
    gid: optionalInteger(user.gid, `${path}.user.gid`, 0, U32) ?? 0,
    additionalGids: list(user.additionalGids, `${path}.user.additionalGids`, (v, at) =>
      integer(v, at, 0, U32),
    ),
    umask: optionalInteger(user.umask, `${path}.user.umask`, 0, 0o777),
    rlimits: rlimits(p.rlimits, `${path}.rlimits`),
    capabilities: caps && capabilities(caps, `${path}.capabilities`),
    noNewPrivileges: boolean(p.noNewPrivileges, `${path}.noNewPrivileges`),
    oomScoreAdj: optionalInteger(p.oomScoreAdj, `${path}.oomScoreAdj`, -1000, 1000),
  };
}

function mount(value: unknown, path: string): Mount {
  const m = object(value, path);
  const options = list(m.options, `${path}.options`, string);
  refuseAll(m, path, ['uidMappings', 'gidMappings']);
  if (options.includes('idmap') || options.includes('ridmap'))
    throw new VxnError('UNSUPPORTED', `${path}: id-mapped mounts are not supported`, { hint: SEE_LIMITS });
  const bind = options.includes('bind') || options.includes('rbind');
  // The specification needs no type for a bind mount.
  const type = optionalString(m.type, `${path}.type`) ?? (bind ? 'bind' : 'none');
  return {
    destination: absolutePath(m.destination, `${path}.destination`),
    type: bind ? 'bind' : type,
    source: optionalString(m.source, `${path}.source`) ?? type,
    options,
  };
}

function device(value: unknown, path: string): Device {
  const d = object(value, path);
  const type = string(d.type, `${path}.type`);
  if (!['c', 'u', 'b', 'p'].includes(type))
    throw invalid(`${path}.type`, `must be c, u, b or p, not "${type}"`);
  return {
    path: absolutePath(d.path, `${path}.path`),
    type: type === 'b' || type === 'p' ? type : 'c',
    major: optionalInteger(d.major, `${path}.major`, 0, U32) ?? 0,
    minor: optionalInteger(d.minor, `${path}.minor`, 0, U32) ?? 0,
    mode: optionalInteger(d.fileMode, `${path}.fileMode`, 0, U32) ?? 0o666,
    uid: optionalInteger(d.uid, `${path}.uid`, 0, U32) ?? 0,
    gid: optionalInteger(d.gid, `${path}.gid`, 0, U32) ?? 0,
  };
}

function namespaces(value: unknown, path: string): Map<string, string> {
  const found = new Map<string, string>();
  list(value, path, (v, at) => {
    const o = object(v, at);
    const type = string(o.type, `${at}.type`);
    if (found.has(type)) throw invalid(at, `is a second namespace of type "${type}"`);
    const where = optionalString(o.path, `${at}.path`) ?? '';
    found.set(type, where === '' ? '' : absolutePath(where, `${at}.path`));
  });
  return found;
}

// Names as sysctl(8) takes them, with dots or slashes between components. The guest's kernel
// decides which names exist.
function sysctls(value: unknown, path: string): Record<string, string> {
  const all = stringMap(value, path);
  for (const name of Object.keys(all)) {
    if (!/^[^\s./]+([./][^\s./]+)*$/.test(name) || name.length > 255)
      throw invalid(path, `has an invalid name of a kernel parameter: "${name.slice(0, 80)}"`);
  }
  return all;
}

// This is for mounts within the guest. Mounts of Dom0 never show there.
function propagation(value: unknown, path: string): bigint {
  const name = optionalString(value, path) ?? '';
  const flag = name === '' ? 0n : propagationFlag(name);
  if (flag === undefined) throw invalid(path, `is not a propagation: "${name}"`);
  return flag;
}

/** Refuses a version that is not SemVer, or whose major version is not 1. */
function checkVersion(value: unknown): void {
  const version = string(value, 'ociVersion');
  const semver = /^(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.exec(version);
  if (semver === null) throw invalid('ociVersion', `is not a version: "${version}"`);
  if (semver[1] !== '1') {
    throw invalid('ociVersion', `"${version}" is not supported; this runtime knows 1.0.0 to ${OCI_VERSION}`);
  }
}

/**
 * Checks a parsed config.json and gives the part that vxn acts on. Unknown properties are ignored,
 * as the specification demands. Throws INVALID_SPEC or UNSUPPORTED with the name of the property.
 */
export function parseSpec(value: unknown): Spec {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VxnError('INVALID_SPEC', 'config.json: must be an object');
  }
  const s = value as Json;
  checkVersion(s.ociVersion);
  if (s.root === undefined) throw invalid('root', 'is missing');
  const root = object(s.root, 'root');
  const linux = optionalObject(s.linux, 'linux') ?? {};
  const resources = optionalObject(linux.resources, 'linux.resources') ?? {};
  const path = string(root.path, 'root.path');
  if (path === '') throw invalid('root.path', 'must not be empty');
  return {
    root: { path, readonly: boolean(root.readonly, 'root.readonly') },
    hostname: optionalString(s.hostname, 'hostname'),
    domainname: optionalString(s.domainname, 'domainname'),
    process: s.process === undefined ? undefined : parseProcess(s.process),
    mounts: list(s.mounts, 'mounts', mount),
    annotations: stringMap(s.annotations, 'annotations'),
    namespaces: namespaces(linux.namespaces, 'linux.namespaces'),
    maskedPaths: list(linux.maskedPaths, 'linux.maskedPaths', absolutePath),
    readonlyPaths: list(linux.readonlyPaths, 'linux.readonlyPaths', absolutePath),
    sysctl: sysctls(linux.sysctl, 'linux.sysctl'),
    devices: list(linux.devices, 'linux.devices', device),
    rootPropagation: propagation(linux.rootfsPropagation, 'linux.rootfsPropagation'),
    cgroupsPath: optionalString(linux.cgroupsPath, 'linux.cgroupsPath'),
    limits: parseLimits(resources, 'linux.resources'),
    vm: parseVm(s.vm),
  };
}

const OWN_BY_NATURE = ['mount', 'uts', 'cgroup'];

/**
 * Refuses requests that a virtual machine cannot serve, instead of dropping them. raw is the parsed
 * config.json, because Spec holds only the properties in use. Throws UNSUPPORTED, and INVALID_SPEC
 * on an unknown type of namespace.
 */
export function checkSupported(spec: Spec, raw: Json): void {
  const refuse = (message: string, hint?: string): never => {
    throw new VxnError('UNSUPPORTED', message, hint === undefined ? {} : { hint });
  };
  for (const type of ['pid', 'ipc']) {
    if (spec.namespaces.has(type)) continue;
    refuse(
      `the host's ${type.toUpperCase()} namespace cannot be shared with a virtual machine`,
      `config.json needs a ${type} namespace; leave out --${type}=host`,
    );
  }
  for (const [type, path] of spec.namespaces) {
    if (type === 'user')
      refuse('user namespaces are not supported: the virtual machine isolates by itself', SEE_LIMITS);
    if (type === 'time') refuse('time namespaces are not supported', SEE_LIMITS);
    if (!['network', 'pid', 'ipc', ...OWN_BY_NATURE].includes(type))
      throw invalid('linux.namespaces', `has an unknown type "${type}"`);
    if (path !== '' && (type === 'pid' || type === 'ipc')) {
      refuse(
        `another container's ${type.toUpperCase()} namespace cannot be joined from a virtual machine`,
        SEE_LIMITS,
      );
    }
  }
  const linux = optionalObject(raw.linux, 'linux') ?? {};
  refuseAll(linux, 'linux', ['intelRdt', 'personality', 'netDevices', 'memoryPolicy', 'timeOffsets']);
}
