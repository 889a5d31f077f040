// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { Control } from '../channel/control.ts';
import { encodeFrame, Type } from '../channel/protocol.ts';
import type { Config } from '../config/config.ts';
import { checkId, domainOf, type Places, placesOf } from '../container/container.ts';
import { statusOf } from '../container/status.ts';
import { loadAny } from '../container/store.ts';
import type { DomainPlaces } from '../domain/domain.ts';
import { VxnError } from '../host/errors.ts';
import { parseConfigText } from '../spec/bundle.ts';

const ANSWER_MS = 10_000;

/** A process in Dom0 that represents one of the container's. */
export interface Dom0Process {
  pid: number;
  /** `container` stands for its first process. */
  kind: 'container' | 'exec';
  /** The name of the program. It is read at the first use, because engines want only the pids. */
  readonly program: string;
}

/** The pids of the container's execs. Its monitor has a connection to each of them. */
async function execPids(places: DomainPlaces): Promise<number[]> {
  const control = await Control.open(places.control);
  if (control === undefined) return [];
  try {
    await control.send(encodeFrame(Type.Pids, 0));
    const answer = await control.receive(ANSWER_MS);
    if (answer?.type !== Type.PidsReply) return [];
    const { payload } = answer;
    return Array.from({ length: payload.length >> 2 }, (_, i) => payload.readUInt32LE(4 * i));
  } finally {
    control.close();
  }
}

const firstProgram = (places: Places): string =>
  parseConfigText(readFileSync(places.config, 'utf8')).spec.process?.args[0] ?? '';

function execProgram(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words[words.indexOf('--program') + 1] ?? '';
  } catch {
    return '';
  }
}

const dom0Process = (pid: number, kind: Dom0Process['kind'], program: () => string): Dom0Process => ({
  pid,
  kind,
  get program() {
    return program();
  },
});

/**
 * `ps`: the processes in Dom0 that stand for the processes of the container, the first one first.
 * containerd asks when it starts, and takes a container without any for a leak. Throws INVALID_ID,
 * DOES_NOT_EXIST, WRONG_STATE.
 */
export async function ps(config: Config, root: string, id: string): Promise<Dom0Process[]> {
  checkId(id);
  const places = placesOf(config, root, id);
  const container = loadAny(places);
  const { holder } = container;
  const status = statusOf(places, container);
  if (holder === undefined || status === 'stopped' || status === 'creating')
    throw new VxnError('WRONG_STATE', 'container not running');
  const execs = status === 'created' ? [] : await execPids(domainOf(config, container));
  return [
    dom0Process(holder.pid, 'container', () => firstProgram(places)),
    ...execs.map((pid) => dom0Process(pid, 'exec', () => execProgram(pid))),
  ];
}
