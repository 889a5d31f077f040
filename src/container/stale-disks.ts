// SPDX-License-Identifier: MIT
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { namesIn } from './container.ts';

/**
 * Removes root disks and logs of containers that are no more. State is volatile, disks are not: after a power cut nobody
 * else would know of them. A container has its folder in runDir before that in libDir, so one that is being made is safe.
 */
export function removeStaleDisks({ runDir, libDir }: Config): void {
  // Folders of other names are not containers', such as that of time lines.
  for (const root of namesIn(libDir).filter((name) => /^[0-9a-f]{8}$/.test(name))) {
    for (const name of namesIn(join(libDir, root))) {
      if (!existsSync(join(runDir, root, name)))
        rmSync(join(libDir, root, name), { recursive: true, force: true });
    }
  }
}
