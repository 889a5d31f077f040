// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { FrameReader, Type } from '../channel/protocol.ts';
import type { Config } from '../config/config.ts';
import { checkId, domainOf, placesOf } from '../container/container.ts';
import { load } from '../container/store.ts';

function withPredecessor(file: string): Buffer[] {
  return [`${file}.1`, file].filter((f) => existsSync(f)).map((f) => readFileSync(f));
}

/** One piece of the program's output. */
export interface Output {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/** The frames of an output log. A frame that is cut off at its end is left out. */
export function decodeOutput(log: Buffer): Output[] {
  return new FrameReader().push(log).flatMap(({ type, payload }): Output[] => {
    if (type === Type.Stdout) return [{ stream: 'stdout', data: payload }];
    return type === Type.Stderr ? [{ stream: 'stderr', data: payload }] : [];
  });
}

/**
 * `logs`: the last output of the program, up to the setting logSize. Throws INVALID_ID,
 * DOES_NOT_EXIST, UNSUPPORTED.
 */
export function programLog(config: Config, root: string, id: string): Output[] {
  checkId(id);
  const places = placesOf(config, root, id);
  load(places);
  return withPredecessor(places.outputLog).flatMap(decodeOutput);
}

/**
 * `logs --console`: the log of the guest's kernel. Throws INVALID_ID, DOES_NOT_EXIST, UNSUPPORTED.
 */
export function consoleLog(config: Config, root: string, id: string): Buffer {
  checkId(id);
  const container = load(placesOf(config, root, id));
  return Buffer.concat(withPredecessor(domainOf(config, container).consoleLog));
}
