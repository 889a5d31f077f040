// SPDX-License-Identifier: MIT
// The plan of `create`. It decides everything before anything is made.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { chooseBoot } from '../domain/boot.ts';
import type { Domain, DomainPlaces } from '../domain/domain.ts';
import { domainPlaces } from '../domain/domain.ts';
import { type KindName, TRAITS } from '../domain/kinds/kind.ts';
import { kindOf } from '../domain/kinds/kinds.ts';
import type { NetworkPlan } from '../domain/network.ts';
import { planNetwork } from '../domain/plan-network.ts';
import { rootFree, sizeDomain } from '../domain/sizing.ts';
import type { Caller } from '../host/caller.ts';
import { callerPath } from '../host/caller-path.ts';
import { self } from '../host/hold.ts';
import { Annotations } from '../spec/annotations.ts';
import { type Bundle, hasHooks, readBundle } from '../spec/bundle.ts';
import type { Json } from '../spec/read.ts';
import { checkSupported, OCI_VERSION } from '../spec/spec.ts';
import { domainConfig } from '../xen/domain-config.ts';
import { physicalCpus } from '../xen/host.ts';
import { type CgroupRequest, cgroupRequest, planCgroup } from './cgroup.ts';
import { type Container, checkId, domainName, type Places, placesOf, STATE_FORMAT } from './container.ts';
import type { Hooks } from './hooks.ts';
import { lazy } from './lazy.ts';
import { checkProgram } from './program.ts';
import { planRootDisk, type RootDisk } from './root-disk.ts';
import { planStdio, type Stdio } from './stdio.ts';

/** The request of a caller of `create`. */
export interface CreateRequest {
  id: string;
  /** The caller's --root, an absolute path. */
  root: string;
  /** A path. It may be relative to the caller's folder. */
  bundle: string;
  consoleSocket: string | undefined;
  /** The caller waits for the program's end. */
  foreground: boolean;
}

/** A container and its domain, decided. */
export interface Plan {
  /** As it is stored first. */
  container: Container;
  places: Places;
  /** As it is stored first. */
  domain: Domain;
  domainPlaces: DomainPlaces;
  /** The text of config.json. */
  configText: string;
  /** The text of the domain's xl.cfg. */
  domainConfig: string;
  /** The domain is made paused. */
  paused: boolean;
  /** Arguments of the domain's kind for its monitor. */
  kindArgs: readonly string[];
  rootDisk: RootDisk;
  network: NetworkPlan;
  /** The network namespace of the monitor: a path, or 'new'. */
  netns: string;
  cgroup: CgroupRequest;
  stdio: Stdio;
  oomScoreAdj: number | undefined;
  /** A profile for vxn-seccomp to compile. */
  seccomp: Buffer | undefined;
  hooks: Hooks | undefined;
}

// Checks the profile of config.json. A step of the plan compiles it.
async function seccompOf({ raw, text }: Bundle): Promise<Buffer | undefined> {
  const linux = raw.linux as Json | undefined;
  if (linux?.seccomp === undefined || linux.seccomp === null) return undefined;
  return (await lazy.seccomp()).parseSeccomp(linux, text);
}

// Checks the hooks of config.json, so that only running them can fail.
async function hooksOf({ raw, spec, rootfs }: Bundle): Promise<Hooks | undefined> {
  if (!hasHooks(raw)) return undefined;
  const { parseHooks, checkGuestHooks } = await lazy.hooks();
  const hooks = parseHooks(raw);
  checkGuestHooks(hooks, spec, rootfs);
  return hooks;
}

interface Machine extends Pick<Plan, 'domain' | 'domainConfig' | 'paused' | 'kindArgs' | 'network'> {
  /** Bytes free in the root. */
  rootFree: number;
}

async function planMachine(
  { spec }: Bundle,
  config: Config,
  { id, root }: CreateRequest,
  stdio: Stdio,
  { rootDisk }: Places,
): Promise<Machine> {
  const annotations = Annotations.read(spec.annotations, config.annotations);
  const { vm, limits } = spec;
  const kindName = (annotations.text('guest-protocol') ?? config.guestProtocol) as KindName;
  const kind = await kindOf(kindName);
  kind.check(spec, config, stdio.foreground && stdio.terminal);
  const uuid = readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();
  const name = domainName(root, id);
  const size = sizeDomain({ annotations, vm, limits }, config, physicalCpus());
  const boot = chooseBoot(annotations, vm, config, kind.images(spec, config));
  const free = rootFree(annotations, spec.root.readonly, config) + kind.room(spec, config);
  const network = await planNetwork(annotations, spec.namespaces.has('network'), config, uuid);
  const disks = kind.disks(rootDisk, config);
  const blockScript = join(config.libexecDir, 'vxn-block');
  return {
    domain: { uuid, name, kind: kindName, size, containers: [{ root, id }] },
    domainConfig: domainConfig({ name, uuid, ...boot, ...size, disks, blockScript }),
    paused: TRAITS[kindName].startsPaused,
    kindArgs: kind.monitorArgs,
    network,
    rootFree: free,
  };
}

/**
 * Plans the container. Reads the bundle and looks at the machine, but changes nothing. Throws
 * INVALID_*, USAGE, UNSUPPORTED. Throws GUEST when the program certainly does not exist, and DISK
 * when the root cannot be read.
 */
export async function planContainer(
  request: CreateRequest,
  config: Config,
  caller: Pick<Caller, 'cwd'>,
): Promise<Plan> {
  const { id, root } = request;
  checkId(id);
  const bundle = readBundle(callerPath(caller, request.bundle));
  const { spec } = bundle;
  checkSupported(spec, bundle.raw);
  const stdio = planStdio(spec.process, request.consoleSocket, request.foreground, caller);
  const places = placesOf(config, root, id);
  const { rootFree: free, ...machine } = await planMachine(bundle, config, request, stdio, places);
  if (spec.process !== undefined) checkProgram(spec, spec.process, bundle.rootfs);
  const seccomp = await seccompOf(bundle);
  const hooks = await hooksOf(bundle);
  const cgroup = cgroupRequest(spec.cgroupsPath, machine.domain.name);
  const container: Container = {
    format: STATE_FORMAT,
    ociVersion: OCI_VERSION,
    id,
    root,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    annotations: spec.annotations,
    domain: machine.domain.uuid,
    maker: self(),
    cgroup: planCgroup(cgroup.found, cgroup.path),
    ...(seccomp === undefined ? {} : { seccomp: true }),
    ...(hooks === undefined ? {} : { hooks: 'create' }),
  };
  return {
    ...machine,
    container,
    places,
    domainPlaces: domainPlaces(config, machine.domain.uuid),
    configText: bundle.text,
    rootDisk: planRootDisk(bundle.rootfs, free),
    // Every engine expects the engine's pid in the container's own network namespace.
    netns: spec.namespaces.get('network') || 'new',
    cgroup,
    stdio,
    oomScoreAdj: spec.process?.oomScoreAdj,
    seccomp,
    hooks,
  };
}
