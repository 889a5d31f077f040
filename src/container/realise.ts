// SPDX-License-Identifier: MIT
// Makes everything that a plan describes, or nothing.
import { rmSync } from 'node:fs';
import type { Context } from '../domain/context.ts';
import { type Domain, makeDomain, storeDomain } from '../domain/domain.ts';
import { lazy as domainLazy } from '../domain/lazy.ts';
import { type Monitor, startMonitor } from '../domain/monitor.ts';
import { VxnError } from '../host/errors.ts';
import { replaceFile } from '../host/files.ts';
import { isAlive, type ProcessId } from '../host/process-id.ts';
import type { Step } from '../host/step.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import { provideCgroup } from './cgroup.ts';
import type { Container } from './container.ts';
import { lazy } from './lazy.ts';
import { writePidFile } from './pid-file.ts';
import type { Plan } from './plan.ts';
import { makeRootDisk } from './root-disk.ts';
import { stdioArgs, stdioFds } from './stdio.ts';
import { claim, makeDiskFolder, store } from './store.ts';
import { stamp } from './timeline.ts';

async function provideNetwork({ network, domain, domainPlaces }: Plan, context: Context): Promise<Domain> {
  const { candidates, ...chosen } = network;
  if (candidates.length === 0) return { ...domain, network: chosen };
  const { takeAddress } = await domainLazy.bridge();
  const [owner] = domain.containers;
  let known = domain;
  takeAddress(network, context.config, { uuid: domain.uuid, id: owner?.id ?? '' }, (choice) => {
    known = { ...domain, network: choice };
    storeDomain(domainPlaces, known);
  });
  return known;
}

// The guest's kernel boots while the steps after the toolstack's run.
async function makeSteps(plan: Plan, context: Context, toolstack: Toolstack): Promise<Step[]> {
  const { config } = context;
  const { places, domainPlaces, seccomp } = plan;
  replaceFile(domainPlaces.config, plan.domainConfig);
  const steps = [
    ...makeRootDisk(config.mke2fs, plan.rootDisk, places.rootDisk),
    toolstack.createStep(domainPlaces.config, plan.paused),
  ];
  if (seccomp === undefined) return steps;
  const { seccompStep } = await lazy.seccomp();
  return [...steps, seccompStep(config.libexecDir, seccomp, places.seccomp)];
}

async function watch(plan: Plan, context: Context, container: Container): Promise<Monitor> {
  const { config, caller } = context;
  const { places, domain, stdio } = plan;
  const toolstack = await context.toolstack();
  const steps = await makeSteps(plan, context, toolstack);
  return startMonitor(config, {
    uuid: domain.uuid,
    places: plan.domainPlaces,
    container: {
      id: container.id,
      run: places.run,
      lib: places.lib,
      args: [...(stdio.foreground ? ['--caller', String(caller.pid)] : []), ...stdioArgs(stdio)],
      fds: stdioFds(stdio, caller),
    },
    netns: plan.netns,
    oomScoreAdj: plan.oomScoreAdj,
    cgroups: container.cgroup?.join ?? [],
    args: [...toolstack.monitorArgs, ...plan.kindArgs],
    steps,
    stepsFile: places.steps,
    path: caller.env.PATH ?? '',
  });
}

// Notes everything that it makes in container, so that it can be undone.
async function build(plan: Plan, context: Context, container: Container): Promise<void> {
  const { places, domainPlaces, hooks } = plan;
  makeDomain(domainPlaces, plan.domain);
  makeDiskFolder(places);
  replaceFile(places.config, plan.configText);
  const domain = await provideNetwork(plan, context);
  if (container.cgroup !== undefined && !(await provideCgroup(plan.cgroup, container.cgroup)))
    delete container.cgroup;
  const { process: monitor, domid } = await watch(plan, context, container);
  stamp(places, 'monitor.ready');
  // The monitor of a single container is its holder as well.
  container.holder = monitor;
  storeDomain(domainPlaces, { ...domain, domid, monitor });
  store(places, container);
  if (hooks === undefined) return;
  await (await lazy.hooks()).runCreateHooks(hooks, container, context.caller);
  store(places, { ...container, hooks: 'done' });
}

async function undo(plan: Plan, context: Context, container: Container): Promise<void> {
  const { removeContainer } = await lazy.remove();
  await removeContainer(context, plan.places, container, async () => {
    if (plan.hooks !== undefined) await (await lazy.hooks()).poststop(plan.places, container, context.caller);
  });
}

/**
 * Makes a planned container: its state, root disk, domain and monitor. Then it runs the hooks of
 * create. It writes the pid file last, because engines read that file as the sign that all is
 * there. begunNs: nanoseconds on CLOCK_MONOTONIC when the call began. Gives the holder. Either
 * everything is there at the end, or nothing. Throws ALREADY_EXISTS, DISK, TOOLSTACK, MONITOR,
 * HOOK, NETWORK, HOST, USAGE.
 */
export async function realise(
  plan: Plan,
  context: Context,
  pidFile: string | undefined,
  begunNs: bigint,
): Promise<ProcessId> {
  const { places } = plan;
  const container = { ...plan.container };
  const first = claim(places, container);
  try {
    stamp(places, 'create.begin', begunNs);
    if (first) (await lazy.staleDisks()).removeStaleDisks(context.config);
    await build(plan, context, container);
    const { holder } = container;
    if (holder === undefined || !isAlive(holder))
      throw new VxnError('MONITOR', 'the monitor died while the container was made');
    stamp(places, 'create.end');
    if (pidFile !== undefined) writePidFile(pidFile, holder.pid);
    return holder;
  } catch (error) {
    // The first failure is the one to tell. `delete --force` finds what could not be undone.
    await undo(plan, context, container).catch(() => undefined);
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
    throw error;
  }
}
