// SPDX-License-Identifier: MIT
import { Control } from '../channel/control.ts';
import { askStats, type GuestStats } from '../channel/stats.ts';
import { checkId, domainOf, placesOf } from '../container/container.ts';
import { fullStatus } from '../container/status.ts';
import { load } from '../container/store.ts';
import type { Context } from '../domain/context.ts';
import type { DomainPlaces } from '../domain/domain.ts';
import { VxnError } from '../host/errors.ts';

// A guest that boots under load answers late.
const ANSWER_MS = 60_000;

const nothing = { limit: 0, failcnt: 0 };

/**
 * A statistic in runc's form. Memory (bytes) and processor time (nanoseconds) are those of the
 * whole guest, which serves this container alone.
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

async function connect(domain: DomainPlaces, id: string): Promise<Control> {
  const control = await Control.open(domain.control);
  if (control !== undefined) return control;
  throw new VxnError('WRONG_STATE', `container with id ${id} is not running`);
}

async function once(domain: DomainPlaces, id: string, emit: (event: object) => boolean): Promise<void> {
  const control = await connect(domain, id);
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
  domain: DomainPlaces,
  id: string,
  interval: number,
  emit: (event: object) => boolean,
): Promise<void> {
  const control = await connect(domain, id);
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
 * `events`: statistics of the guest, once or at each interval until the container ends. There is
 * also an event when the guest's kernel has killed a process because memory ran out. emit takes an
 * event, and gives false when nobody reads any more. The stream waits for a paused guest, but a
 * single statistic fails. Throws INVALID_ID, DOES_NOT_EXIST, WRONG_STATE, GUEST.
 */
export async function events(
  context: Context,
  id: string,
  options: EventsOptions,
  emit: (event: object) => boolean,
): Promise<void> {
  checkId(id);
  const { config, root } = context;
  const places = placesOf(config, root, id);
  const container = load(places);
  const domain = domainOf(config, container);
  const status = fullStatus(config, places, container);
  if (status === 'stopped' || status === 'creating')
    throw new VxnError('WRONG_STATE', `container with id ${id} is not running`);
  if (!options.stats) return stream(domain, id, options.interval, emit);
  if (status === 'paused')
    throw new VxnError('WRONG_STATE', 'container paused: its guest gives no statistics until resume');
  return once(domain, id, emit);
}
