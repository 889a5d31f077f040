// SPDX-License-Identifier: MIT
// Containers that vxn made before domains had a state of their own. They keep running over an
// upgrade, and can be listed, signalled and deleted.
import { isAlive, type ProcessId } from '../host/process-id.ts';
import { type Container, type Legacy, STATE_FORMAT } from './container.ts';

/** The first layout of state.json, with the properties that are still in use. */
interface FirstLayout extends Omit<Container, 'format' | 'domain' | 'holder' | 'legacy'> {
  uuid: string;
  domain: string;
  domid?: number;
  monitor?: ProcessId;
  network?: Legacy['network'];
}

/** Reads state.json in its first layout. */
export function readLegacy(stored: unknown): Container {
  const { uuid, domain: name, domid, monitor, network, ...rest } = stored as FirstLayout;
  return {
    ...rest,
    format: STATE_FORMAT,
    domain: uuid,
    ...(monitor === undefined ? {} : { holder: monitor }),
    legacy: {
      uuid,
      name,
      ...(domid === undefined ? {} : { domid }),
      ...(network === undefined ? {} : { network }),
    },
  };
}

/**
 * Hands a signal to the program of a running container, because its monitor passes signals on.
 * SIGKILL ends the monitor itself. A later `delete` destroys the domain.
 */
export function signalLegacy(holder: ProcessId, signal: number): void {
  if (isAlive(holder)) process.kill(holder.pid, signal);
}
