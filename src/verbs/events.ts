// SPDX-License-Identifier: MIT
import { Control } from '../channel/control.ts';
import { askStats, type GuestStats } from '../channel/stats.ts';
import { checkId, load, type Places, placesOf } from '../container/container.ts';
import type { Context } from '../domain/context.ts';
import { fullStatus } from '../domain/paused.ts';
import { VxnError } from '../host/errors.ts';

// A guest that boots under load answers late.
const ANSWER_MS = 60_000;

const nothing = { limit: 0, failcnt: 0 };

/**
 * A statistic as runc writes it. Memory and processors are the whole guest's, which serves this
 * container alone.
 */
export function statsEvent(id: string, s: GuestStats): object {
  const usage = s.memoryTotal - s.memoryAvailable;
  return {
    type: 'stats',
    id,
    data: {
      cpu: { usage: { total: s.cpu, kernel: s.cpu - s.cpuUser, user: s.cpuUser }, throttling: {} },
      memory: {
        cache: s.memoryCached,
        usage: { limit: s.memoryTotal, usage, failcnt: 0 },
        swap: nothing,
        kernel: nothing,
        kernelTCP: nothing,
        raw: {
          total: s.memoryTotal,
          available: s.memoryAvailable,
          cached: s.memoryCached,
          oom_kill: s.oomKills,
        },
      },
      pids: { current: s.pids },
      blkio: {},
      hugetlb: {},
      intel_rdt: {},
      network_interfaces: null,
    },
  };
}

export interface EventsOptions {
  /** Only one statistic. */
  stats: boolean;
  /** Milliseconds between two statistics. */
  interval: number;
}

async function connect(places: Places, id: string): Promise<Control> {
  const control = await Control.open(places.control);
  if (control !== undefined) return control;
  throw new VxnError('WRONG_STATE', `container with id ${id} is not running`);
}

async function once(places: Places, id: string, emit: (event: object) => boolean): Promise<void> {
  const control = await connect(places, id);
  try {
    const stats = await askStats(control, ANSWER_MS);
    if (stats === undefined)
      throw new VxnError('GUEST', 'the guest does not answer', { hint: 'see logs --console' });
    emit(statsEvent(id, stats));
  } finally {
    control.close();
  }
}

async function stream(
  places: Places,
  id: string,
  interval: number,
  emit: (event: object) => boolean,
): Promise<void> {
  const control = await connect(places, id);
  let killed: number | undefined;
  try {
    // The connection ends with the container.
    while (!(await control.ended(interval))) {
      const stats = await askStats(control);
      if (stats === undefined) return;
      if (killed !== undefined && stats.oomKills > killed && !emit({ type: 'oom', id })) return;
      killed = stats.oomKills;
      if (!emit(statsEvent(id, stats))) return;
    }
  } finally {
    control.close();
  }
}

/**
 * `events`: statistics of the guest, once or at each interval until the container ends, and an
 * event when its kernel has killed a process because memory ran out. emit takes an event and gives
 * whether somebody still reads. A paused guest is waited for, but not for a single statistic.
 * Throws INVALID_ID, DOES_NOT_EXIST, WRONG_STATE, GUEST.
 */
export async function events(
  context: Context,
  id: string,
  options: EventsOptions,
  emit: (event: object) => boolean,
): Promise<void> {
  checkId(id);
  const places = placesOf(context.config, context.root, id);
  const status = fullStatus(places, load(places));
  if (status === 'stopped' || status === 'creating')
    throw new VxnError('WRONG_STATE', `container with id ${id} is not running`);
  if (!options.stats) return stream(places, id, options.interval, emit);
  if (status === 'paused')
    throw new VxnError('WRONG_STATE', 'container paused: its guest has no figures until resume');
  return once(places, id, emit);
}
