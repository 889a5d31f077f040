// SPDX-License-Identifier: MIT
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type CgroupRequest, cgroupRequest, planCgroup, provideCgroup } from '../container/cgroup.ts';
import {
  checkId,
  claim,
  domainName,
  makeDiskFolder,
  type Places,
  placesOf,
  type Stored,
  store,
  writeAtomically,
} from '../container/container.ts';
import type { Hooks } from '../container/hooks.ts';
import { writePidFile } from '../container/pid-file.ts';
import { checkProgram } from '../container/program.ts';
import { rootDiskSteps } from '../container/root-disk.ts';
import { planStdio, type Stdio } from '../container/stdio.ts';
import { stamp } from '../container/timeline.ts';
import { type Boot, chooseBoot } from '../domain/boot.ts';
import { type Guest, type GuestProtocol, guestOf } from '../domain/kinds/kind.ts';
import { startMonitor } from '../domain/monitor.ts';
import { type NetworkPlan, planNetwork } from '../domain/network.ts';
import { rootFree, type Size, sizeDomain } from '../domain/sizing.ts';
import { VxnError } from '../host/errors.ts';
import { self } from '../host/hold.ts';
import { isAlive, type ProcessId } from '../host/process-id.ts';
import type { Step } from '../host/step.ts';
import { Annotations } from '../spec/annotations.ts';
import { type Bundle, hasHooks, readBundle } from '../spec/bundle.ts';
import type { Json } from '../spec/read.ts';
import { checkSupported, OCI_VERSION } from '../spec/spec.ts';
import { type DomainPlan, domainConfig } from '../xen/domain-config.ts';
import { physicalCpus } from '../xen/host.ts';
import type { Context } from './context.ts';

export interface CreateOptions {
  id: string;
  bundle: string;
  pidFile: string | undefined;
  consoleSocket: string | undefined;
}

/** What the container's domain is made of, decided before anything is made. */
interface Machine {
  protocol: GuestProtocol;
  guest: Guest;
  size: Size;
  boot: Boot;
  /** Bytes free in the root. */
  rootFree: number;
  network: NetworkPlan;
}

async function planMachine(bundle: Bundle, config: Config, stdio: Stdio, uuid: string): Promise<Machine> {
  const { spec } = bundle;
  const annotations = Annotations.read(spec.annotations, config.annotations);
  const { vm, limits } = spec;
  const protocol = (annotations.text('guest-protocol') ?? config.guestProtocol) as GuestProtocol;
  const guest = await guestOf(protocol);
  guest.check(spec, config, stdio);
  return {
    protocol,
    guest,
    size: sizeDomain({ annotations, vm, limits }, config, physicalCpus()),
    boot: chooseBoot(annotations, vm, config, guest.images(spec, config)),
    rootFree: rootFree(annotations, spec.root.readonly, config) + guest.room(spec, config),
    network: await planNetwork(annotations, spec.namespaces.has('network'), config, uuid),
  };
}

function domainPlan(config: Config, stored: Stored, places: Places, machine: Machine): DomainPlan {
  return {
    name: stored.domain,
    uuid: stored.uuid,
    ...machine.boot,
    ...machine.size,
    disks: machine.guest.disks(places, config),
    blockScript: join(config.libexecDir, 'vxn-block'),
  };
}

// What config.json says is checked here; the step compiles it.
async function seccompOf(config: Config, bundle: Bundle): Promise<((file: string) => Step) | undefined> {
  const linux = bundle.raw.linux as Json | undefined;
  if (linux?.seccomp === undefined || linux.seccomp === null) return undefined;
  const { parseSeccomp, seccompStep } = await import('../container/seccomp.ts');
  const profile = parseSeccomp(linux, bundle.text);
  return profile === undefined ? undefined : (file) => seccompStep(config.libexecDir, profile, file);
}

// What config.json says of hooks is checked, so that only running them can fail.
async function hooksOf(bundle: Bundle): Promise<Hooks | undefined> {
  if (!hasHooks(bundle.raw)) return undefined;
  const { parseHooks, checkGuestHooks } = await import('../container/hooks.ts');
  const hooks = parseHooks(bundle.raw);
  checkGuestHooks(hooks, bundle.spec, bundle.rootfs);
  return hooks;
}

/** The monitor's network namespace: the container's own, as every engine expects. */
function netnsOf(bundle: Bundle): string {
  return bundle.spec.namespaces.get('network') || 'new';
}

async function provideNetwork(
  plan: NetworkPlan,
  config: Config,
  places: Places,
  stored: Stored,
): Promise<void> {
  const { candidates, ...network } = plan;
  stored.network = network;
  if (candidates.length === 0) return;
  const { takeAddress } = await import('../domain/bridge.ts');
  takeAddress(plan, config, stored, (chosen) => {
    stored.network = chosen;
    store(places, stored);
  });
}

async function build(
  context: Context,
  bundle: Bundle,
  machine: Machine,
  places: Places,
  stored: Stored,
  wanted: { cgroup: CgroupRequest; seccomp: ((file: string) => Step) | undefined; stdio: Stdio },
): Promise<ProcessId> {
  const { config } = context;
  const toolstack = await context.toolstack();
  writeAtomically(places.domainConfig, domainConfig(domainPlan(config, stored, places, machine)));
  if (stored.cgroup !== undefined && !(await provideCgroup(wanted.cgroup, stored.cgroup)))
    delete stored.cgroup;
  const monitor = startMonitor(config, {
    id: stored.id,
    uuid: stored.uuid,
    places,
    netns: netnsOf(bundle),
    oomScoreAdj: bundle.spec.process?.oomScoreAdj,
    cgroups: stored.cgroup?.join ?? [],
    guestArgs: machine.guest.monitorArgs,
    steps: [
      ...rootDiskSteps(config.mke2fs, bundle.rootfs, places.rootDisk, machine.rootFree),
      toolstack.createStep(places.domainConfig, machine.guest.paused),
      // Last: the guest's kernel boots meanwhile.
      ...(wanted.seccomp === undefined ? [] : [wanted.seccomp(places.seccomp)]),
    ],
    stdio: wanted.stdio,
  });
  stamp(places, 'monitor.ready');
  stored.domid = monitor.domid;
  stored.monitor = monitor.process;
  store(places, stored);
  return monitor.process;
}

/**
 * `create`: builds the root disk, boots the domain and starts its monitor; the program does not run yet. Either all of
 * it is there at the end, or nothing. foreground: the caller waits for the program's end. Throws INVALID_*, USAGE, UNSUPPORTED,
 * ALREADY_EXISTS, DISK, TOOLSTACK, MONITOR.
 */
export async function create(
  context: Context,
  options: CreateOptions,
  foreground = false,
): Promise<ProcessId> {
  const { id } = options;
  checkId(id);
  const bundle = readBundle(options.bundle);
  checkSupported(bundle.spec, bundle.raw);
  const stdio = planStdio(bundle.spec.process, options.consoleSocket, foreground);
  const uuid = readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();
  const machine = await planMachine(bundle, context.config, stdio, uuid);
  if (bundle.spec.process !== undefined) checkProgram(bundle.spec, bundle.spec.process, bundle.rootfs);
  const seccomp = await seccompOf(context.config, bundle);
  const hooks = await hooksOf(bundle);
  const places = placesOf(context.config, context.root, id);
  const domain = domainName(context.root, id);
  const cgroup = cgroupRequest(bundle.spec.cgroupsPath, domain);
  const stored: Stored = {
    ociVersion: OCI_VERSION,
    id,
    root: context.root,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    annotations: bundle.spec.annotations,
    uuid,
    domain,
    guest: machine.protocol,
    size: machine.size,
    maker: self(),
    cgroup: planCgroup(cgroup.found, cgroup.path),
    ...(seccomp === undefined ? {} : { seccomp: true }),
    ...(hooks === undefined ? {} : { hooks: 'create' }),
  };
  const first = claim(places, stored);
  try {
    stamp(places, 'create.begin');
    if (first) (await import('../container/stale-disks.ts')).removeStaleDisks(context.config);
    makeDiskFolder(places);
    writeAtomically(places.config, bundle.text);
    await provideNetwork(machine.network, context.config, places, stored);
    const monitor = await build(context, bundle, machine, places, stored, { cgroup, seccomp, stdio });
    if (hooks !== undefined) {
      await (await import('../container/hooks.ts')).runCreateHooks(hooks, stored);
      store(places, { ...stored, hooks: 'done' });
    }
    if (stored.monitor === undefined || !isAlive(stored.monitor)) {
      throw new VxnError('MONITOR', 'the monitor died while the container was made');
    }
    stamp(places, 'create.end');
    // Last, since whoever finds it takes the container for made.
    if (options.pidFile !== undefined) writePidFile(options.pidFile, stored.monitor.pid);
    return monitor;
  } catch (error) {
    // The first failure is the one to tell; what could not be undone is there for `delete --force`.
    const { removeContainer } = await import('../container/remove.ts');
    const last = async (): Promise<void> => {
      if (hooks !== undefined) await (await import('../container/hooks.ts')).poststop(places, stored);
    };
    await removeContainer(context, places, stored, last).catch(() => undefined);
    if (options.pidFile !== undefined) rmSync(options.pidFile, { force: true });
    throw error;
  }
}
