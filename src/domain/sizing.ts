// SPDX-License-Identifier: MIT
// The size of a domain. The first source that has a value decides it: annotation, vm section of the
// configuration, linux.resources, settings. limits.ts says how much each of them may ask for.
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import {
  ANNOTATION_PREFIX,
  type Annotations,
  MAX_MEMORY,
  MAX_VCPUS,
  MAX_WEIGHT,
  MIN_MEMORY,
} from '../spec/annotations.ts';
import { type Limits, parseCpuList } from '../spec/resources.ts';
import type { Vm } from '../spec/vm.ts';
import type { Size } from '../xen/domain-config.ts';
import {
  memoryLimit,
  moreThanGranted,
  type OperatorLimit,
  rootFreeLimit,
  vcpusLimit,
  type Wish,
  weightLimit,
  wishOf,
  withinGrant,
  withinLimit,
} from './limits.ts';

/** Where the values of a size come from. */
export interface SizeSources {
  annotations: Annotations;
  vm: Vm | undefined;
  limits: Limits;
}

const MIB = 1 << 20;
const PERIOD_US = 100_000;
// cgroup v1 shows about this number for a group without a limit. Engines copy it.
const UNLIMITED = 2 ** 63 - 2 ** 20;

/** The MiB of a domain for this memory limit, or undefined when there is no limit. */
export function limitsMemory(limits: Limits, config: Config): number | undefined {
  const { memory } = limits;
  if (memory === undefined || memory <= 0 || memory >= UNLIMITED) return undefined;
  return Math.max(MIN_MEMORY, Math.ceil(memory / MIB) + config.memoryOverhead);
}

/** The quota in percent of one processor, or undefined when there is no quota. */
export function quotaPercent(limits: Limits): number | undefined {
  const { cpuQuota, cpuPeriod } = limits;
  if (cpuQuota === undefined || cpuQuota <= 0) return undefined;
  return Math.max(1, Math.round((100 * cpuQuota) / (cpuPeriod || PERIOD_US)));
}

/**
/**
 * The number of vcpus that the quota keeps busy, at most the host's number and the operator's limit.
 * undefined when there is no quota.
 */
export function quotaVcpus(limits: Limits, config: Config, physical: number | undefined): number | undefined {
  const { cpuQuota, cpuPeriod } = limits;
  if (cpuQuota === undefined || cpuQuota <= 0) return undefined;
  const wanted = Math.ceil(cpuQuota / (cpuPeriod || PERIOD_US));
  return Math.min(wanted, physical ?? MAX_VCPUS, vcpusLimit(config, physical).most);
}

/**
 * Xen's weight for cgroup shares: 1024 shares are a weight of 256. undefined when there are no
 * shares.
 */
export function sharesWeight(limits: Limits): number | undefined {
  if (!limits.cpuShares) return undefined;
  return Math.min(MAX_WEIGHT, Math.max(1, Math.round((256 * limits.cpuShares) / 1024)));
}

function checkMemory({ by, value }: Wish): void {
  if (value >= MIN_MEMORY && value <= MAX_MEMORY) return;
  throw new VxnError('INVALID_SPEC', `${by} asks for ${value} MiB`, {
    hint: `a domain has from ${MIN_MEMORY} to ${MAX_MEMORY} MiB`,
  });
}

function checkVcpus({ value }: Wish): void {
  if (value >= 1 && value <= MAX_VCPUS) return;
  throw new VxnError('INVALID_SPEC', `${value} vcpus were asked for`, {
    hint: `1 to ${MAX_VCPUS} are possible`,
  });
}

/** Gives cpus back. Throws INVALID_SPEC when it names a processor that the host does not have. */
export function checkCpus(cpus: string, physical: number | undefined): string {
  const last = parseCpuList(cpus)?.at(-1);
  if (last === undefined || physical === undefined || last < physical) return cpus;
  throw new VxnError('INVALID_SPEC', `there is no processor ${last} to run on`, {
    hint: `Xen has ${physical} here, numbered from 0; "${cpus}" was asked for`,
  });
}

// Room for update, which the engine calls: the container does not have it by itself, so config.json's
// limits do not bind it.
function maximumOf(
  name: 'mem' | 'vcpus',
  value: number,
  wish: Wish | undefined,
  limit: OperatorLimit,
): number {
  if (wish === undefined) return value;
  const maximum = withinLimit(wish, limit);
  if (maximum >= value) return maximum;
  throw new VxnError(
    'INVALID_SPEC',
    `annotation max${name} is ${maximum}, less than the ${value} at the start`,
  );
}

/**
 * Xen's cap for a wanted one, in percent of one processor. 0 stands for no cap. A guest can start
 * every vcpu up to its maximum against its orders. The cap makes sure that vcpus beyond its number
 * gain it nothing.
 */
export function capOf(wanted: number | undefined, vcpus: number, maxvcpus: number): number {
  const cap = wanted ?? (maxvcpus > vcpus ? vcpus * 100 : 0);
  return cap >= maxvcpus * 100 ? 0 : cap;
}

function grantedMemory({ vm, limits }: SizeSources, config: Config): Wish | undefined {
  if (vm?.memory !== undefined)
    return { by: 'config.json: vm.hwConfig.memory', value: Math.ceil(vm.memory / MIB) };
  const value = limitsMemory(limits, config);
  return value === undefined ? undefined : { by: 'linux.resources.memory.limit', value };
}

function memoryOf(sources: SizeSources, config: Config): number {
  const asked = wishOf(sources.annotations, 'memory');
  const granted = grantedMemory(sources, config);
  if (asked !== undefined) withinGrant(asked, granted, 'MiB');
  const wish = asked ?? granted ?? { by: 'memory in the settings', value: config.memory };
  checkMemory(wish);
  return withinLimit(wish, memoryLimit(config));
}

function grantedVcpus(
  { vm, limits }: SizeSources,
  config: Config,
  physical: number | undefined,
): Wish | undefined {
  if (vm?.vcpus !== undefined) return { by: 'config.json: vm.hwConfig.vcpus', value: vm.vcpus };
  const value = quotaVcpus(limits, config, physical);
  return value === undefined ? undefined : { by: 'linux.resources.cpu.quota', value };
}

function vcpusOf(sources: SizeSources, config: Config, physical: number | undefined): number {
  const asked = wishOf(sources.annotations, 'vcpus');
  const granted = grantedVcpus(sources, config, physical);
  if (asked !== undefined) withinGrant(asked, granted, 'vcpus');
  const wish = asked ?? granted ?? { by: 'vcpus in the settings', value: config.vcpus };
  checkVcpus(wish);
  return withinLimit(wish, vcpusLimit(config, physical));
}

function weightOf({ annotations, limits }: SizeSources, config: Config): number | undefined {
  const asked = wishOf(annotations, 'weight');
  const shares = sharesWeight(limits);
  if (asked === undefined) return shares;
  if (shares === undefined) return withinLimit(asked, weightLimit(config));
  return withinGrant(asked, { by: 'linux.resources.cpu.shares', value: shares }, 'of weight');
}

function checkCap({ annotations, vm, limits }: SizeSources, maxvcpus: number): void {
  const asked = wishOf(annotations, 'cap');
  if (asked === undefined) return;
  const unit = 'percent of a processor';
  const quota = quotaPercent(limits);
  // Without a cap the guest can use every vcpu up to its maximum.
  const all = asked.value === 0 ? { by: `${asked.by} (0 for no limit)`, value: maxvcpus * 100 } : asked;
  if (quota !== undefined) withinGrant(all, { by: 'linux.resources.cpu.quota', value: quota }, unit);
  else if (vm?.vcpus !== undefined)
    withinGrant(all, { by: 'config.json: vm.hwConfig.vcpus', value: vm.vcpus * 100 }, unit);
}

function cpusOf({ annotations, limits }: SizeSources, physical: number | undefined): string {
  const asked = annotations.text('cpus');
  const granted = limits.cpus ?? '';
  if (asked === undefined) return checkCpus(granted, physical);
  const allowed = granted === '' ? undefined : parseCpuList(granted);
  if (allowed !== undefined && !parseCpuList(asked)?.every((cpu) => allowed.includes(cpu))) {
    const by = `annotation ${ANNOTATION_PREFIX}cpus`;
    throw moreThanGranted(by, `processors ${asked}`, granted, 'linux.resources.cpu.cpus');
  }
  return checkCpus(asked, physical);
}

/**
 * The size of a container's domain. physical: the number of the host's processors, or undefined
 * when it is unknown. Throws INVALID_SPEC on values that contradict each other or that the host
 * cannot give. Throws UNSUPPORTED on values beyond the operator's limits.
 */
export function sizeDomain(sources: SizeSources, config: Config, physical: number | undefined): Size {
  const { annotations, limits } = sources;
  const memory = memoryOf(sources, config);
  const vcpus = vcpusOf(sources, config, physical);
  const room = { mem: wishOf(annotations, 'maxmem'), vcpus: wishOf(annotations, 'maxvcpus') };
  const maxvcpus = maximumOf('vcpus', vcpus, room.vcpus, vcpusLimit(config, physical));
  checkCap(sources, maxvcpus);
  return {
    memory,
    maxmem: maximumOf('mem', memory, room.mem, memoryLimit(config)),
    vcpus,
    maxvcpus,
    cpus: cpusOf(sources, physical),
    weight: weightOf(sources, config),
    cap: capOf(annotations.number('cap') ?? quotaPercent(limits), vcpus, maxvcpus),
  };
}

/**
 * Bytes that the root file system has free besides its content. Throws UNSUPPORTED when an annotation
 * asks for more than the operator's limit.
 */
export function rootFree(annotations: Annotations, readonly: boolean, config: Config): number {
  const asked = wishOf(annotations, 'root-free');
  if (asked !== undefined) return withinLimit(asked, rootFreeLimit(config)) * MIB;
  return (readonly ? 4 : config.rootFree) * MIB;
}
