// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { findDomain } from '../domain/domain.ts';
import { TRAITS } from '../domain/kinds/kind.ts';
import { isPaused } from '../domain/paused.ts';
import { isAlive } from '../host/process-id.ts';
import { type Container, domainOf, type Places } from './container.ts';

export type Status = 'creating' | 'created' | 'running' | 'stopped';

/** How the container is now, as its holder's process and the file `started` say. */
export function statusOf(places: Places, container: Container): Status {
  const { holder, maker, hooks } = container;
  if (holder === undefined) return isAlive(maker) ? 'creating' : 'stopped';
  if (!isAlive(holder)) return 'stopped';
  if (hooks === 'create') return isAlive(maker) ? 'creating' : 'stopped';
  return existsSync(places.started) ? 'running' : 'created';
}

/** How the container is now. Xen is asked whether its domain is paused. */
export function fullStatus(
  config: Pick<Config, 'runDir' | 'libDir'>,
  places: Places,
  container: Container,
): Status | 'paused' {
  const status = statusOf(places, container);
  if (container.legacy !== undefined || (status !== 'running' && status !== 'created')) return status;
  const domain = domainOf(config, container);
  // Some domains wait for start in just this way.
  if (status === 'created' && TRAITS[findDomain(domain)?.kind ?? 'agent'].startsPaused) return status;
  return isPaused(domain) === true ? 'paused' : status;
}
