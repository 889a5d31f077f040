// SPDX-License-Identifier: MIT
import { VxnError } from '../errors.ts';
import { Control } from '../guest/control.ts';
import { FIRST } from '../guest/description.ts';
import { encodeFrame, Type } from '../guest/protocol.ts';
import { checkId, load, type Places, placesOf, statusOf } from './container.ts';
import type { Context } from './context.ts';
import { isAlive } from './process-id.ts';
import { signalNumber } from './signals.ts';

const SIGKILL = 9;
const ANSWER_MS = 10_000;

/** Ends the container as SIGKILL does: the domain goes, the monitor exits with 137. False when nobody answered. */
export async function killByMonitor(places: Places): Promise<boolean> {
  const control = await Control.open(places.control);
  if (control === undefined) return false;
  await control.send(encodeFrame(Type.Kill, 0));
  const answer = await control.receive(ANSWER_MS);
  control.close();
  return answer?.type === Type.Ok;
}

const notRunning = (): VxnError => new VxnError('WRONG_STATE', 'container not running');

/**
 * `kill`: hands the signal to the program (all: to every process of the container) and returns; SIGKILL destroys the
 * domain. signal is a name or number as signalNumber() takes it. Throws DOES_NOT_EXIST, WRONG_STATE, USAGE.
 */
export async function kill(context: Context, id: string, signal: string, all: boolean): Promise<void> {
  checkId(id);
  const number = signalNumber(signal);
  const places = placesOf(context.config, context.root, id);
  const stored = load(places);
  const status = statusOf(places, stored);
  if (status === 'stopped' && all) return;
  if (status === 'stopped' || stored.monitor === undefined) throw notRunning();
  if (number === SIGKILL) {
    // A monitor that does not answer is killed itself; delete then destroys the domain.
    if (!(await killByMonitor(places)) && isAlive(stored.monitor))
      process.kill(stored.monitor.pid, 'SIGKILL');
    return;
  }
  const control = await Control.open(places.control);
  if (control === undefined) throw notRunning();
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(number, 0);
  payload.writeUInt32LE(all ? 1 : 0, 4);
  await control.send(encodeFrame(Type.Signal, FIRST, payload));
  const answer = await control.receive(ANSWER_MS);
  control.close();
  if (answer?.type !== Type.Ok && !isAlive(stored.monitor)) throw notRunning();
}
