// SPDX-License-Identifier: MIT
// The size of a domain. The first source that has a value decides it: annotation, vm section of the
// configuration, linux.resources, settings.
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { type Annotations, MAX_MEMORY, MAX_VCPUS, MAX_WEIGHT, MIN_MEMORY } from '../spec/annotations.ts';
import { type Limits, parseCpuList } from '../spec/resources.ts';
import type { Vm } from '../spec/vm.ts';
import type { Size } from '../xen/domain-config.ts';

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
 * The number of vcpus that the quota keeps busy, at most the host's number. undefined when there is
 * no quota.
 */
export function quotaVcpus(limits: Limits, physical: number | undefined): number | undefined {
  const { cpuQuota, cpuPeriod } = limits;
  if (cpuQuota === undefined || cpuQuota <= 0) return undefined;
  const wanted = Math.ceil(cpuQuota / (cpuPeriod || PERIOD_US));
  return Math.min(wanted, physical ?? MAX_VCPUS, MAX_VCPUS);
}

/**
 * Xen's weight for cgroup shares: 1024 shares are a weight of 256. undefined when there are no
 * shares.
 */
export function sharesWeight(limits: Limits): number | undefined {
  if (!limits.cpuShares) return undefined;
  return Math.min(MAX_WEIGHT, Math.max(1, Math.round((256 * limits.cpuShares) / 1024)));
}

function checkMemory(memory: number, source: string): number {
  if (memory >= MIN_MEMORY && memory <= MAX_MEMORY) return memory;
  throw new VxnError('INVALID_SPEC', `${source} asks for ${memory} MiB`, {
    hint: `a domain has from ${MIN_MEMORY} to ${MAX_MEMORY} MiB`,
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

function checkMaximum(name: string, value: number, maximum: number | undefined): number {
  if (maximum === undefined) return value;
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

/**
 * The size of a container's domain. physical: the number of the host's processors, or undefined
 * when it is unknown. Throws INVALID_SPEC on values that contradict each other or that the host
 * cannot give.
 */
export function sizeDomain(sources: SizeSources, config: Config, physical: number | undefined): Size {
  const { annotations, vm, limits } = sources;
  const memory =
    annotations.number('memory') ??
    (vm?.memory === undefined
      ? undefined
      : checkMemory(Math.ceil(vm.memory / MIB), 'config.json: vm.hwConfig.memory')) ??
    checkMemory(limitsMemory(limits, config) ?? config.memory, 'linux.resources.memory.limit');
  const vcpus = annotations.number('vcpus') ?? vm?.vcpus ?? quotaVcpus(limits, physical) ?? config.vcpus;
  if (vcpus < 1 || vcpus > MAX_VCPUS)
    throw new VxnError('INVALID_SPEC', `${vcpus} vcpus were asked for`, {
      hint: `1 to ${MAX_VCPUS} are possible`,
    });
  const maxvcpus = checkMaximum('vcpus', vcpus, annotations.number('maxvcpus'));
  return {
    memory,
    maxmem: checkMaximum('mem', memory, annotations.number('maxmem')),
    vcpus,
    maxvcpus,
    cpus: checkCpus(annotations.text('cpus') ?? limits.cpus ?? '', physical),
    weight: annotations.number('weight') ?? sharesWeight(limits),
    cap: capOf(annotations.number('cap') ?? quotaPercent(limits), vcpus, maxvcpus),
  };
}

/** Bytes that the root file system has free besides its content. */
export function rootFree(annotations: Annotations, readonly: boolean, config: Config): number {
  return (annotations.number('root-free') ?? (readonly ? 4 : config.rootFree)) * MIB;
}
