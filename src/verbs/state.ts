// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import {
  checkId,
  listStored,
  load,
  type Places,
  placesOf,
  type Status,
  type Stored,
} from '../container/container.ts';
import { fullStatus } from '../domain/paused.ts';

/** The state of a container (runtime-spec runtime.md, state; the additions are runc's). */
export interface State {
  ociVersion: string;
  id: string;
  /** Of the monitor; 0 when stopped. */
  pid: number;
  status: Status | 'paused';
  bundle: string;
  rootfs: string;
  created: string;
  annotations?: Record<string, string>;
  owner: string;
}

function stateOf(places: Places, stored: Stored): State {
  const status = fullStatus(places, stored);
  const { ociVersion, id, bundle, rootfs, created, annotations } = stored;
  const pid = status === 'stopped' ? 0 : (stored.monitor?.pid ?? 0);
  const some = Object.keys(annotations).length > 0 ? { annotations } : {};
  return { ociVersion, id, pid, status, bundle, rootfs, created, ...some, owner: 'root' };
}

/** `state`. Throws INVALID_ID, DOES_NOT_EXIST. */
export function state(config: Config, root: string, id: string): State {
  checkId(id);
  const places = placesOf(config, root, id);
  return stateOf(places, load(places));
}

/** The states of every container of a root. */
export function states(config: Config, root: string): State[] {
  return listStored(config, root).map(({ places, stored }) => stateOf(places, stored));
}
