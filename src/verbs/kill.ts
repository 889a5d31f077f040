// SPDX-License-Identifier: MIT

import { FIRST } from '../channel/description.ts';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import { checkId, load, type Places, placesOf, statusOf } from '../container/container.ts';
import { VxnError } from '../host/errors.ts';
import { isAlive } from '../host/process-id.ts';
import { signalNumber } from '../spec/signals.ts';
import type { Context } from './context.ts';

const SIGKILL = 9;

/** Ends the container as SIGKILL does: the domain goes, the monitor exits with 137. False when there is no monitor. */
export function killByMonitor(places: Places): boolean {
  return request(places.requests, encodeFrame(Type.Kill, 0));
}

const notRunning = (): VxnError => new VxnError('WRONG_STATE', 'container not running');

/**
 * `kill`: hands the signal to the program (all: to every process of the container) and returns; SIGKILL destroys the
 * domain. signal is a name or number as signalNumber() takes it. Throws DOES_NOT_EXIST, WRONG_STATE, USAGE.
 */
export function kill(context: Context, id: string, signal: string, all: boolean): void {
  checkId(id);
  const number = signalNumber(signal);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  const status = statusOf(places, stored);
  if (status === 'stopped' && all) return;
  if (status === 'stopped' || stored.monitor === undefined) throw notRunning();
  if (number === SIGKILL) {
    // A monitor that takes nothing any more is killed itself; delete then destroys the domain.
    if (!killByMonitor(places) && isAlive(stored.monitor)) process.kill(stored.monitor.pid, 'SIGKILL');
    return;
  }
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(number, 0);
  payload.writeUInt32LE(all ? 1 : 0, 4);
  if (!request(places.requests, encodeFrame(Type.Signal, FIRST, payload))) throw notRunning();
}
