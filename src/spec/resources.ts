// SPDX-License-Identifier: MIT
// linux.resources (runtime-spec config-linux.md), as far as it says how large a domain is to be.
import { invalid, type Json, optionalInteger, optionalObject, optionalString } from './read.ts';

/** The container's limits. undefined and the values that stand for "no limit" (0, -1) are kept apart: update needs to know. */
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

/** More than any Xen host has. */
export const MAX_CPU = 4095;

/** The numbers in a list of processors such as `0-3,6`, or undefined when it is none. */
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

/** The limits in a linux.resources object, which was found at path. Throws INVALID_SPEC. */
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
