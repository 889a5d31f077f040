// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';

/**
 * The number of physical processors that Xen has, which may be more than Dom0 sees. undefined when
 * Dom0's kernel does not tell, as on arm64.
 */
export function physicalCpus(folder = '/sys/devices/system/xen_cpu'): number | undefined {
  try {
    return readdirSync(folder).filter((name) => /^xen_cpu\d+$/.test(name)).length || undefined;
  } catch {
    return undefined;
  }
}
