// SPDX-License-Identifier: MIT
// Whether a domain is paused. Nothing is stored, because the monitor asks Xen. So `xl pause` by
// hand counts as well, and a call that died half-way leaves nothing that could be wrong.
import { rmSync } from 'node:fs';
import { encodeFrame, Type } from '../channel/protocol.ts';
import { request } from '../channel/requests.ts';
import { readIfThere } from '../host/files.ts';
import { untilSync } from '../host/wait.ts';
import type { DomainPlaces } from './domain.ts';

// The monitor needs a fraction of a millisecond. A monitor that hangs must not hang `state` and
// `list`.
const ANSWER_MS = 2000;
const FIRST_LOOK_MS = 0.2;

/**
 * True while Xen has the domain paused. undefined when the monitor does not answer within two
 * seconds.
 */
export function isPaused(places: DomainPlaces): boolean | undefined {
  const answer = `${places.paused}.${process.pid}`;
  rmSync(answer, { force: true });
  if (!request(places.requests, encodeFrame(Type.Paused, process.pid))) return undefined;
  const pace = { timeoutMs: ANSWER_MS, firstMs: FIRST_LOOK_MS, maxMs: 20 };
  const text = untilSync(() => readIfThere(answer), pace);
  rmSync(answer, { force: true });
  return text === undefined ? undefined : text === '1';
}
