// SPDX-License-Identifier: MIT
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { DOMAINS } from '../domain/domain.ts';
import { namesIn } from '../host/files.ts';

/**
 * Removes root disks and logs of containers and domains that are no more. State is volatile, disks
 * are not: after a power cut nobody else would know of them. Each has its folder in runDir before
 * that in libDir, so one that is being made is safe.
 */
export function removeStaleDisks({ runDir, libDir }: Pick<Config, 'runDir' | 'libDir'>): void {
  // Folders of other names, such as that of time lines, hold neither.
  const ours = (name: string): boolean => name === DOMAINS || /^[0-9a-f]{8}$/.test(name);
  for (const folder of namesIn(libDir).filter(ours)) {
    for (const name of namesIn(join(libDir, folder))) {
      if (!existsSync(join(runDir, folder, name)))
        rmSync(join(libDir, folder, name), { recursive: true, force: true });
    }
  }
}
