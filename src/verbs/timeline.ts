// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { checkId, placesOf } from '../container/container.ts';
import { type Phase, parseTimeline, phasesOf, type Stamp } from '../container/phases.ts';
import { keptFile } from '../container/timeline.ts';
import { VxnError } from '../host/errors.ts';

export interface Timeline {
  id: string;
  stamps: readonly Stamp[];
  phases: readonly Phase[];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * `timeline`: the time line of a container, or the kept one of a deleted container. Throws
 * INVALID_ID, DOES_NOT_EXIST.
 */
export function timeline(config: Config, root: string, id: string): Timeline {
  checkId(id);
  const kept = config.timelineDir === '' ? [] : [keptFile(config, root, id)];
  for (const file of [placesOf(config, root, id).timeline, ...kept]) {
    const text = read(file);
    if (text === undefined) continue;
    const stamps = parseTimeline(text);
    return { id, stamps, phases: phasesOf(stamps) };
  }
  throw new VxnError('DOES_NOT_EXIST', 'container does not exist', {
    hint: 'time lines of deleted containers are kept only when timelineDir is set in /etc/vxn/vxn.yaml',
  });
}
