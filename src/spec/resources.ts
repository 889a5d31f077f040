// SPDX-License-Identifier: MIT
// The parts of linux.resources (runtime-spec config-linux.md) that decide the size of a domain.
import { invalid, type Json, optionalInteger, optionalObject, optionalString } from './read.ts';

/**
 * The limits of a container. An absent limit is undefined. The values for "no limit" (0 and -1)
 * stay as they are, because update treats them differently.
 */
export interface Limits {
  /** Bytes. */
  memory: number | undefined;
  /** Microseconds of processor time per period. */
  cpuQuota: number | undefined;
  /** Microseconds. */
  cpuPeriod: number | undefined;
  /** Relative weight, 1024 for an ordinary container. */
  cpuShares: number | undefined;
  /** Processors as a list such as `0-3,6`; '' for any. */
  cpus: string | undefined;
}

/** The highest number that a list of processors may have. No Xen host has so many. */
export const MAX_CPU = 4095;

/**
 * The numbers in a list of processors such as `0-3,6`, in order, or undefined when the text is no
 * such list.
 */
export function parseCpuList(text: string): number[] | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    if (range === null) return undefined;
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (last < first || last > MAX_CPU) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

function cpuList(value: unknown, path: string): string | undefined {
  const text = optionalString(value, path)?.trim();
  if (text !== undefined && text !== '' && parseCpuList(text) === undefined) {
    throw invalid(path, `must be a list of processors such as 0-3,6, not "${text}"`);
  }
  return text;
}

/**
 * The limits in a linux.resources object. path is the place of the object, for errors. Throws
 * INVALID_SPEC.
 */
export function parseLimits(value: Json, path: string): Limits {
  const memory = optionalObject(value.memory, `${path}.memory`) ?? {};
  const cpu = optionalObject(value.cpu, `${path}.cpu`) ?? {};
  const big = Number.MAX_VALUE;
  return {
    memory: optionalInteger(memory.limit, `${path}.memory.limit`, -1, big),
    cpuQuota: optionalInteger(cpu.quota, `${path}.cpu.quota`, -big, big),
    cpuPeriod: optionalInteger(cpu.period, `${path}.cpu.period`, 0, big),
    cpuShares: optionalInteger(cpu.shares, `${path}.cpu.shares`, 0, big),
    cpus: cpuList(cpu.cpus, `${path}.cpu.cpus`),
  };
}
