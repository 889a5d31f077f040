// SPDX-License-Identifier: MIT
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Control } from '../channel/control.ts';
import { askStats, type GuestStats } from '../channel/stats.ts';
import { checkId, domainOf, type Places, placesOf } from '../container/container.ts';
import { statusOf } from '../container/status.ts';
import { load, store } from '../container/store.ts';
import { checkUpdatable, planUpdate, type Update } from '../container/update-plan.ts';
import type { Context } from '../domain/context.ts';
import { type Domain, type DomainPlaces, loadDomain, storeDomain } from '../domain/domain.ts';
import { TRAITS } from '../domain/kinds/kind.ts';
import { ownDomain } from '../domain/own-domain.ts';
import { isPaused } from '../domain/paused.ts';
import type { Size } from '../domain/sizing.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { withLock } from '../host/lock.ts';
import { type Json, optionalObject } from '../spec/read.ts';
import { parseLimits } from '../spec/resources.ts';
import { physicalCpus } from '../xen/host.ts';
import type { Toolstack } from '../xen/toolstack.ts';

const RESOURCES_MAX = 1 << 20;
const MIB = 1 << 20;
/** How long a guest may take without getting any nearer to what it was asked for. */
const PATIENCE_MS = 15_000;
const ANSWER_MS = 60_000;
/** Bytes beyond what it gives back that a guest needs to go on. */
const SLACK = 8 * MIB;
const DEFAULT_WEIGHT = 256;

// ---- What is asked for

// The caller's standard input can be non-blocking, and empty for now.
function readSome(fd: number, buffer: Buffer, have: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, have, buffer.length - have, null);
    } catch (error) {
      if (errno(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function readAll(source: string): string {
  const fd = source === '-' ? 0 : openSync(source, 'r');
  try {
    const buffer = Buffer.alloc(RESOURCES_MAX + 1);
    let have = 0;
    for (let n = 1; n > 0 && have < buffer.length; have += n) n = readSome(fd, buffer, have);
    if (have > RESOURCES_MAX) throw new VxnError('USAGE', '--resources: more than 1 MiB');
    return buffer.toString('utf8', 0, have);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function readResources(source: string): Json {
  try {
    const value: unknown = JSON.parse(readAll(source));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('must be a JSON object');
    return value as Json;
  } catch (error) {
    if (error instanceof VxnError) throw error;
    throw new VxnError('USAGE', `--resources ${source}: ${messageOf(error)}`);
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 10, m: 20, g: 30, t: 40, p: 50 };

/** Bytes of a text such as 512m, 1.5GiB or 1048576; -1 for no limit. Units are powers of 1024, as runc takes them. */
export function parseBytes(text: string): number | undefined {
  if (text === '-1') return -1;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 2 ** (UNITS[match[2]?.toLowerCase() ?? ''] ?? 0));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const wholeNumber = (text: string): number | undefined =>
  /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
const asIs = (text: string): string => text;

/** runc's flags, and the property of linux.resources that each sets. */
const FLAGS: Readonly<
  Record<string, readonly [section: string, key: string, read: (text: string) => unknown]>
> = {
  memory: ['memory', 'limit', parseBytes],
  'memory-reservation': ['memory', 'reservation', parseBytes],
  'memory-swap': ['memory', 'swap', parseBytes],
  'kernel-memory': ['memory', 'kernel', parseBytes],
  'kernel-memory-tcp': ['memory', 'kernelTCP', parseBytes],
  'cpu-quota': ['cpu', 'quota', wholeNumber],
  'cpu-period': ['cpu', 'period', wholeNumber],
  'cpu-share': ['cpu', 'shares', wholeNumber],
  'cpu-burst': ['cpu', 'burst', wholeNumber],
  'cpu-idle': ['cpu', 'idle', wholeNumber],
  'cpu-rt-period': ['cpu', 'realtimePeriod', wholeNumber],
  'cpu-rt-runtime': ['cpu', 'realtimeRuntime', wholeNumber],
  'cpuset-cpus': ['cpu', 'cpus', asIs],
  'cpuset-mems': ['cpu', 'mems', asIs],
  'blkio-weight': ['blockIO', 'weight', wholeNumber],
  'pids-limit': ['pids', 'limit', wholeNumber],
  'l3-cache-schema': ['intelRdt', 'l3CacheSchema', asIs],
  'mem-bw-schema': ['intelRdt', 'memBwSchema', asIs],
};

/** The names of the flags that `update` takes beside --resources. */
export const UPDATE_FLAGS: readonly string[] = Object.keys(FLAGS);

/** A linux.resources object of the flags given, or of the file that --resources names. Throws USAGE. */
export function wantedResources(options: ReadonlyMap<string, string>): Json {
  const source = options.get('resources');
  // As with runc, all other options are ignored then.
  if (source !== undefined) return readResources(source);
  const wanted: Record<string, Record<string, unknown>> = {};
  for (const [flag, text] of options) {
    const [section, key, read] = FLAGS[flag] ?? [];
    if (section === undefined || key === undefined || read === undefined) continue;
    const value = read(text);
    if (value === undefined) throw new VxnError('USAGE', `invalid value for ${flag}: "${text}"`);
    wanted[section] = { ...wanted[section], [key]: value };
  }
  if (Object.keys(wanted).length === 0) {
    throw new VxnError('USAGE', 'update needs --resources FILE or a limit', { hint: 'see update --help' });
  }
  return wanted;
}

// ---- What is done

interface Step {
  do(): Promise<void> | void;
  undo(): void;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The guest behind the control socket, asked again and again. */
class Guest {
  private constructor(private readonly control: Control) {}

  static async open(places: DomainPlaces): Promise<Guest> {
    const control = await Control.open(places.control);
    if (control === undefined) throw new VxnError('WRONG_STATE', 'container not running');
    return new Guest(control);
  }

  async stats(): Promise<GuestStats> {
    const stats = await askStats(this.control, ANSWER_MS);
    if (stats === undefined)
      throw new VxnError('GUEST', 'the guest does not answer', { hint: 'see logs --console' });
    return stats;
  }

  /** Waits until what figure says is within tolerance of wanted; gives up when it does not get nearer. False then. */
  async reaches(figure: (stats: GuestStats) => number, wanted: number, tolerance: number): Promise<boolean> {
    let best = Number.POSITIVE_INFINITY;
    let since = performance.now();
    for (;;) {
      const distance = Math.abs(figure(await this.stats()) - wanted);
      if (distance <= tolerance) return true;
      if (distance < best) {
        best = distance;
        since = performance.now();
      }
      if (performance.now() - since > PATIENCE_MS) return false;
      await sleep(50);
    }
  }

  close(): void {
    this.control.close();
  }
}

function memoryStep(toolstack: Toolstack, domid: number, guest: Guest, before: number, mib: number): Step {
  return {
    async do() {
      const { memoryTotal, memoryAvailable } = await guest.stats();
      const change = (mib - before) * MIB;
      if (memoryAvailable + change < SLACK) {
        const used = Math.ceil((memoryTotal - memoryAvailable) / MIB);
        throw new VxnError('UNSUPPORTED', `the guest cannot give back ${before - mib} MiB: it uses ${used}`, {
          hint: 'nothing was changed',
        });
      }
      toolstack.setMemory(domid, mib);
      if (await guest.reaches((s) => s.memoryTotal, memoryTotal + change, 4 * MIB)) return;
      toolstack.setMemory(domid, before);
      throw new VxnError('GUEST', `the guest does not go from ${before} to ${mib} MiB`, {
        hint: 'nothing was changed; its kernel needs CONFIG_XEN_BALLOON, and Xen free memory',
      });
    },
    undo: () => toolstack.setMemory(domid, before),
  };
}

function vcpusStep(toolstack: Toolstack, domid: number, guest: Guest, before: number, vcpus: number): Step {
  return {
    async do() {
      toolstack.setVcpus(domid, vcpus);
      if (await guest.reaches((s) => s.cpus, vcpus, 0)) return;
      toolstack.setVcpus(domid, before);
      throw new VxnError('GUEST', `the guest does not go from ${before} to ${vcpus} vcpus`, {
        hint: 'nothing was changed; its kernel needs CONFIG_HOTPLUG_CPU, see logs --console',
      });
    },
    undo: () => toolstack.setVcpus(domid, before),
  };
}

/** All of it, or nothing. */
async function apply(steps: readonly Step[]): Promise<void> {
  const done: Step[] = [];
  try {
    for (const step of steps) {
      await step.do();
      done.unshift(step);
    }
  } catch (error) {
    for (const step of done) {
      try {
        step.undo();
      } catch {
        // The first failure is the one to tell.
      }
    }
    throw error;
  }
}

function checkGuestCan(places: DomainPlaces, { kind, size: old }: Domain, update: Update): void {
  const changed =
    update.size.memory !== old.memory ? 'memory' : update.size.vcpus !== old.vcpus ? 'vcpus' : undefined;
  if (changed === undefined) return;
  if (!TRAITS[kind].resizable)
    throw new VxnError('UNSUPPORTED', `update: ${changed} of a ${kind} guest cannot be changed`);
  if (isPaused(places) === true) {
    throw new VxnError('WRONG_STATE', `container paused: its guest cannot change its ${changed}`, {
      hint: 'resume it first',
    });
  }
}

// What the domain has now is asked, not remembered: an update that was killed may have changed it.
async function guestSteps(
  toolstack: Toolstack,
  domid: number,
  guest: Guest,
  update: Update,
): Promise<Step[]> {
  const { memory, vcpus } = update.size;
  const steps: Step[] = [];
  const mib = update.memory ? toolstack.memory(domid) : memory;
  if (mib !== memory) steps.push(memoryStep(toolstack, domid, guest, mib, memory));
  const online = update.vcpus ? (await guest.stats()).cpus : vcpus;
  if (online !== vcpus) steps.push(vcpusStep(toolstack, domid, guest, online, vcpus));
  return steps;
}

function schedulerSteps(toolstack: Toolstack, domid: number, old: Size, update: Update): Step[] {
  const share = (size: Size): void => toolstack.setShare(domid, size.weight ?? DEFAULT_WEIGHT, size.cap);
  const cpus = (size: Size): void => toolstack.setCpus(domid, size.cpus);
  return [
    ...(update.share ? [{ do: () => share(update.size), undo: () => share(old) }] : []),
    ...(update.cpus ? [{ do: () => cpus(update.size), undo: () => cpus(old) }] : []),
  ];
}

// Percent of one processor; 0 stands for no limit.
const allowance = ({ cap }: Size): number => (cap === 0 ? Number.POSITIVE_INFINITY : cap);

async function change(context: Context, places: DomainPlaces, domain: Domain, update: Update): Promise<void> {
  const toolstack = await context.toolstack();
  const domid = ownDomain(toolstack, domain);
  const old = domain.size;
  const ofScheduler = schedulerSteps(toolstack, domid, old, update);
  const room = update.memory || (update.vcpus && old.maxvcpus > 1);
  if (!room || !TRAITS[domain.kind].resizable || isPaused(places) === true) return apply(ofScheduler);
  const guest = await Guest.open(places);
  try {
    const ofGuest = await guestSteps(toolstack, domid, guest, update);
    // The guest does its part with the larger share of the two.
    const first = allowance(update.size) > allowance(old);
    await apply(first ? [...ofScheduler, ...ofGuest] : [...ofGuest, ...ofScheduler]);
  } finally {
    guest.close();
  }
}

function configResources(places: Places): Json {
  const config = JSON.parse(readFileSync(places.config, 'utf8')) as Json;
  const linux = optionalObject(config.linux, 'linux') ?? {};
  return optionalObject(linux.resources, 'linux.resources') ?? {};
}

/**
 * `update`: changes what a running container's domain has, in place, as far as its maxima go. options holds --resources or runc's
 * flags. All of it happens or nothing. Throws USAGE, DOES_NOT_EXIST, WRONG_STATE, INVALID_SPEC, UNSUPPORTED, GUEST, TOOLSTACK.
 */
export async function update(
  context: Context,
  id: string,
  options: ReadonlyMap<string, string>,
): Promise<void> {
  checkId(id);
  const wanted = wantedResources(options);
  const { config, root } = context;
  const places = placesOf(config, root, id);
  load(places);
  await withLock(join(places.run, 'lock'), async () => {
    const container = load(places);
    const status = statusOf(places, container);
    if (status !== 'running' && status !== 'created')
      throw new VxnError('WRONG_STATE', 'container not running');
    const domain = domainOf(config, container);
    const known = loadDomain(domain);
    const before = configResources(places);
    checkUpdatable(wanted, before);
    const limits = container.limits ?? parseLimits(before, 'linux.resources');
    const plan = planUpdate(known.size, limits, wanted, config, physicalCpus());
    checkGuestCan(domain, known, plan);
    await change(context, domain, known, plan);
    storeDomain(domain, { ...known, size: plan.size });
    store(places, { ...container, limits: plan.limits });
  });
}
