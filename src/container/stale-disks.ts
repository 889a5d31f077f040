// SPDX-License-Identifier: MIT
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { DOMAINS } from '../domain/domain.ts';
import { namesIn } from '../host/files.ts';

/**
 * Removes root disks and logs of containers and domains that no longer exist. State is volatile but
 * disks are not, so a power cut leaves disks without an owner. A container or domain that is being
 * made is safe, because its folder in runDir comes before its folder in libDir.
 */
export function removeStaleDisks({ runDir, libDir }: Pick<Config, 'runDir' | 'libDir'>): void {
  // Other folders, such as the one of time lines, hold no container and no domain.
  const ours = (name: string): boolean => name === DOMAINS || /^[0-9a-f]{8}$/.test(name);
  for (const folder of namesIn(libDir).filter(ours)) {
    for (const name of namesIn(join(libDir, folder))) {
      if (!existsSync(join(runDir, folder, name)))
        rmSync(join(libDir, folder, name), { recursive: true, force: true });
    }
  }
}
