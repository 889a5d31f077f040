// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';

/** How many physical processors Xen has, not only those that Dom0 sees; undefined where Dom0's kernel does not say (not x86). */
export function physicalCpus(folder = '/sys/devices/system/xen_cpu'): number | undefined {
  try {
    return readdirSync(folder).filter((name) => /^xen_cpu\d+$/.test(name)).length || undefined;
  } catch {
    return undefined;
  }
}
