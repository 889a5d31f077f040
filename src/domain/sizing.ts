// SPDX-License-Identifier: MIT
// How large the domain is and what it boots. For every value the first of these decides: annotation, vm section of the
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
// What cgroup v1 says of a group without a limit, give or take a page size; engines copy it.
const UNLIMITED = 2 ** 63 - 2 ** 20;

/** MiB of a domain for this memory limit, or undefined for no limit. */
export function limitsMemory(limits: Limits, config: Config): number | undefined {
  const { memory } = limits;
  if (memory === undefined || memory <= 0 || memory >= UNLIMITED) return undefined;
  return Math.max(MIN_MEMORY, Math.ceil(memory / MIB) + config.memoryOverhead);
}

/** Percent of one processor, or undefined for no limit. */
export function quotaPercent(limits: Limits): number | undefined {
  const { cpuQuota, cpuPeriod } = limits;
  if (cpuQuota === undefined || cpuQuota <= 0) return undefined;
  return Math.max(1, Math.round((100 * cpuQuota) / (cpuPeriod || PERIOD_US)));
}

/** How many vcpus the quota keeps busy, at most all of the host's; undefined for no quota. */
export function quotaVcpus(limits: Limits, physical: number | undefined): number | undefined {
  const { cpuQuota, cpuPeriod } = limits;
  if (cpuQuota === undefined || cpuQuota <= 0) return undefined;
  const wanted = Math.ceil(cpuQuota / (cpuPeriod || PERIOD_US));
  return Math.min(wanted, physical ?? MAX_VCPUS, MAX_VCPUS);
}

/** Xen's weight, which is 256 for an ordinary domain where cgroup's shares are 1024; undefined for no shares. */
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

/** cpus itself. Throws INVALID_SPEC when it names a processor that the host does not have. */
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
    `annotation max${name} is ${maximum}, less than the ${value} to begin with`,
  );
}

/**
 * Xen's cap for a wanted one, 0 for none. A guest can start every vcpu up to its maximum, whatever it is told: those beyond
 * vcpus must not gain it anything.
 */
export function capOf(wanted: number | undefined, vcpus: number, maxvcpus: number): number {
  const cap = wanted ?? (maxvcpus > vcpus ? vcpus * 100 : 0);
  return cap >= maxvcpus * 100 ? 0 : cap;
}

/**
 * The size of a container's domain, on a host with so many physical processors (undefined: not known). Throws INVALID_SPEC
 * on values that contradict each other or cannot be had.
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

/** Bytes that the root file system has free beside its content. */
export function rootFree(annotations: Annotations, readonly: boolean, config: Config): number {
  return (annotations.number('root-free') ?? (readonly ? 4 : config.rootFree)) * MIB;
}
