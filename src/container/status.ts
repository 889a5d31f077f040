// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { findDomain } from '../domain/domain.ts';
import { TRAITS } from '../domain/kinds/kind.ts';
import { isPaused } from '../domain/paused.ts';
import { isAlive } from '../host/process-id.ts';
import { type Container, domainOf, type Places } from './container.ts';

export type Status = 'creating' | 'created' | 'running' | 'stopped';

/** The status of the container now. The process of its holder and the file `started` decide it. */
export function statusOf(places: Places, container: Container): Status {
  const { holder, maker, hooks } = container;
  if (holder === undefined) return isAlive(maker) ? 'creating' : 'stopped';
  if (!isAlive(holder)) return 'stopped';
  if (hooks === 'create') return isAlive(maker) ? 'creating' : 'stopped';
  return existsSync(places.started) ? 'running' : 'created';
}

/**
 * The status of the container now, including `paused`. Its monitor asks Xen whether the domain is
 * paused.
 */
export function fullStatus(
  config: Pick<Config, 'runDir' | 'libDir'>,
  places: Places,
  container: Container,
): Status | 'paused' {
  const status = statusOf(places, container);
  if (container.legacy !== undefined || (status !== 'running' && status !== 'created')) return status;
  const domain = domainOf(config, container);
  // Domains of some kinds are paused until start.
  if (status === 'created' && TRAITS[findDomain(domain)?.kind ?? 'agent'].startsPaused) return status;
  return isPaused(domain) === true ? 'paused' : status;
}
