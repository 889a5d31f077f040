// SPDX-License-Identifier: MIT
// Whether a container is paused. Nothing is stored: the monitor asks Xen, so what somebody did with `xl pause` counts as well,
// and a call that died half-way leaves nothing that could be wrong.
import { readFileSync, rmSync } from 'node:fs';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import { errno } from '../host/errors.ts';
import type { DomainPlaces } from './domain.ts';

// The monitor needs a fraction of a millisecond; one that hangs must not hang `state` and `list`.
const ANSWER_MS = 2000;
const FIRST_LOOK_MS = 0.2;

function readOnce(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * True while Xen has the domain paused. undefined when its monitor does not say within two
 * seconds.
 */
export function isPaused(places: DomainPlaces): boolean | undefined {
  const answer = `${places.paused}.${process.pid}`;
  rmSync(answer, { force: true });
  if (!request(places.requests, encodeFrame(Type.Paused, process.pid))) return undefined;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + ANSWER_MS;
  for (let ms = FIRST_LOOK_MS; performance.now() < deadline; ms = Math.min(2 * ms, 20)) {
    Atomics.wait(clock, 0, 0, ms);
    const text = readOnce(answer);
    if (text === undefined) continue;
    rmSync(answer, { force: true });
    return text === '1';
  }
  return undefined;
}
