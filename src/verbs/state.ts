// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import { type Container, checkId, type Places, placesOf } from '../container/container.ts';
import { fullStatus, type Status } from '../container/status.ts';
import { listContainers, loadAny } from '../container/store.ts';

/** The state of a container (runtime-spec runtime.md, state, with the additions of runc). */
export interface State {
  ociVersion: string;
  id: string;
  /** The pid of the holder, or 0 when the container is stopped. */
  pid: number;
  status: Status | 'paused';
  bundle: string;
  rootfs: string;
  created: string;
  annotations?: Record<string, string>;
  owner: string;
}

function stateOf(config: Config, places: Places, container: Container): State {
  const status = fullStatus(config, places, container);
  const { ociVersion, id, bundle, rootfs, created, annotations } = container;
  const pid = status === 'stopped' ? 0 : (container.holder?.pid ?? 0);
  const some = Object.keys(annotations).length > 0 ? { annotations } : {};
  return { ociVersion, id, pid, status, bundle, rootfs, created, ...some, owner: 'root' };
}

/** `state`: the state of a container. Throws INVALID_ID, DOES_NOT_EXIST. */
export function state(config: Config, root: string, id: string): State {
  checkId(id);
  const places = placesOf(config, root, id);
  return stateOf(config, places, loadAny(places));
}

/** The states of all containers of a root, in the order of their folders. */
export function states(config: Config, root: string): State[] {
  return listContainers(config, root).map(({ places, container }) => stateOf(config, places, container));
}
