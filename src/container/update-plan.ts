// SPDX-License-Identifier: MIT
// The plan of an update: the new size of the domain. It is pure, so everything is decided before
// anything changes.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { NamedParts } from '../domain/resize.ts';
import { capOf, checkCpus, limitsMemory, quotaPercent, quotaVcpus, sharesWeight } from '../domain/sizing.ts';
import { VxnError } from '../host/errors.ts';
import type { Json } from '../spec/read.ts';
import { type Limits, parseLimits } from '../spec/resources.ts';
import type { Size } from '../xen/domain-config.ts';

/** The size and the limits after an update, and the parts that it names. */
export interface Update extends NamedParts {
  size: Size;
  limits: Limits;
}

// A virtual machine needs none of these limits to be isolated.
const IGNORED: Readonly<Record<string, readonly string[]>> = {
  memory: [
    'reservation',
    'swap',
    'swappiness',
    'kernel',
    'kernelTCP',
    'disableOOMKiller',
    'useHierarchy',
    'checkBeforeUpdate',
  ],
  cpu: ['mems'],
  // runc does not update devices either.
  devices: [],
};
const APPLIED: Readonly<Record<string, readonly string[]>> = {
  memory: ['limit'],
  cpu: ['quota', 'period', 'shares', 'cpus'],
};

/** A value that asks for nothing: absent, empty, zero or "unlimited". */
function isNeutral(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  if (value === 0 || value === -1) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isNeutral);
}

function refuse(property: string): never {
  throw new VxnError('UNSUPPORTED', `update: ${property} cannot be changed`, {
    hint: 'memory.limit and cpu.quota, period, shares and cpus can; see docs/limitations.md',
  });
}

/**
 * Checks that vxn can make each change that an update asks for. Engines send all resources that
 * they know, so a value as before is no change. Throws UNSUPPORTED.
 */
export function checkUpdatable(wanted: Json, before: Json): void {
  for (const [section, value] of Object.entries(wanted)) {
    const old = before[section];
    if (isNeutral(value) || isDeepStrictEqual(value, old) || IGNORED[section]?.length === 0) continue;
    const known = [...(APPLIED[section] ?? []), ...(IGNORED[section] ?? [])];
    if (known.length === 0 || typeof value !== 'object' || value === null) refuse(section);
    for (const [key, v] of Object.entries(value)) {
      const same = isDeepStrictEqual(v, (old as Json | undefined)?.[key]);
      if (!known.includes(key) && !isNeutral(v) && !same) refuse(`${section}.${key}`);
    }
  }
}

function beyond(what: string, maximum: string, annotation: string): VxnError {
  return new VxnError(
    'UNSUPPORTED',
    `${what} is more than this container's domain can have, which is ${maximum}`,
    {
      hint: `annotation org.openembedded.vxn.${annotation} sets the maximum when the container is created`,
    },
  );
}

function newMemory(limits: Limits, size: Size, config: Config): number {
  // Without a limit the domain gets all that it can have.
  const memory = limitsMemory(limits, config) ?? size.maxmem;
  if (memory > size.maxmem)
    throw beyond(`memory of ${memory} MiB (the limit and the guest's own)`, `${size.maxmem} MiB`, 'maxmem');
  return memory;
}

function newVcpus(limits: Limits, size: Size, config: Config, physical: number | undefined): number {
  const vcpus = quotaVcpus(limits, config, physical) ?? size.maxvcpus;
  if (vcpus > size.maxvcpus) throw beyond(`${vcpus} vcpus`, `${size.maxvcpus}`, 'maxvcpus');
  return vcpus;
}

function newCap(limits: Limits, vcpus: number, { maxvcpus }: Size): number {
  const quota = quotaPercent(limits);
  // The quota may be beyond the operator's maxVcpus, which decides then.
  return capOf(quota === undefined ? undefined : Math.min(quota, vcpus * 100), vcpus, maxvcpus);
}

/** As with runc, undefined and 0 keep a limit, and -1 removes it. */
const named = (value: number | undefined): value is number => value !== undefined && value !== 0;

/**
 * Plans the size after an update. limits are the present ones, and wanted is the linux.resources of
 * the update. physical: the number of the host's processors, or undefined when it is unknown.
 * Throws INVALID_SPEC on a wrong value, UNSUPPORTED on a value beyond the domain's maxima.
 */
export function planUpdate(
  size: Size,
  limits: Limits,
  wanted: Json,
  config: Config,
  physical: number | undefined,
): Update {
  const asked = parseLimits(wanted, 'linux.resources');
  const memory = named(asked.memory);
  // A period alone changes nothing when there is no quota.
  const quota = named(asked.cpuQuota) || (named(asked.cpuPeriod) && (limits.cpuQuota ?? -1) > 0);
  const shares = named(asked.cpuShares);
  const cpus = asked.cpus !== undefined && asked.cpus !== '';
  const merged: Limits = {
    memory: memory ? asked.memory : limits.memory,
    cpuQuota: named(asked.cpuQuota) ? asked.cpuQuota : limits.cpuQuota,
    cpuPeriod: named(asked.cpuPeriod) ? asked.cpuPeriod : limits.cpuPeriod,
    cpuShares: shares ? asked.cpuShares : limits.cpuShares,
    cpus: cpus ? asked.cpus : limits.cpus,
  };
  const vcpus = quota ? newVcpus(merged, size, config, physical) : size.vcpus;
  return {
    size: {
      ...size,
      memory: memory ? newMemory(merged, size, config) : size.memory,
      vcpus,
      cap: quota ? newCap(merged, vcpus, size) : size.cap,
      weight: shares ? sharesWeight(merged) : size.weight,
      cpus: cpus ? checkCpus(merged.cpus ?? '', physical) : size.cpus,
    },
    limits: merged,
    memory,
    vcpus: quota,
    share: quota || shares,
    cpus,
  };
}
