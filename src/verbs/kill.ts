// SPDX-License-Identifier: MIT
import { FIRST } from '../channel/description.ts';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import { checkId, domainOf, placesOf } from '../container/container.ts';
import { signalLegacy } from '../container/legacy.ts';
import { statusOf } from '../container/status.ts';
import { loadAny } from '../container/store.ts';
import type { Context } from '../domain/context.ts';
import { killDomain } from '../domain/destroy.ts';
import { VxnError } from '../host/errors.ts';
import { isAlive } from '../host/process-id.ts';
import { signalNumber } from '../spec/signals.ts';

const SIGKILL = 9;

const notRunning = (): VxnError => new VxnError('WRONG_STATE', 'container not running');

/**
 * `kill`: hands the signal to the program and returns. all: to every process of the container.
 * SIGKILL destroys the domain. signal is a name or number as signalNumber() takes it. Throws
 * INVALID_ID, DOES_NOT_EXIST, WRONG_STATE, USAGE.
 */
export function kill(context: Context, id: string, signal: string, all: boolean): void {
  checkId(id);
  const number = signalNumber(signal);
  const places = placesOf(context.config, context.root, id);
  const container = loadAny(places);
  const { holder } = container;
  const status = statusOf(places, container);
  if (status === 'stopped' && all) return;
  if (status === 'stopped' || holder === undefined) throw notRunning();
  if (container.legacy !== undefined) {
    signalLegacy(holder, number);
    return;
  }
  const domain = domainOf(context.config, container);
  if (number === SIGKILL) {
    // A monitor that takes no request is killed itself. delete then destroys the domain.
    if (!killDomain(domain) && isAlive(holder)) process.kill(holder.pid, 'SIGKILL');
    return;
  }
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(number, 0);
  payload.writeUInt32LE(all ? 1 : 0, 4);
  if (!request(domain.requests, encodeFrame(Type.Signal, FIRST, payload))) throw notRunning();
}
