// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { Control } from '../channel/control.ts';
import { encodeFrame, Type } from '../channel/protocol.ts';
import type { Config } from '../config/config.ts';
import { checkId, domainOf, type Places, placesOf } from '../container/container.ts';
import { statusOf } from '../container/status.ts';
import { load } from '../container/store.ts';
import type { DomainPlaces } from '../domain/domain.ts';
import { VxnError } from '../host/errors.ts';
import { parseConfigText } from '../spec/bundle.ts';

const ANSWER_MS = 10_000;

/** The pids of the monitors of the container's execs, from the container's monitor: it has a connection to each. */
async function execMonitors(places: DomainPlaces): Promise<number[]> {
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

function programOf(monitor: number): string {
  try {
    const words = readFileSync(`/proc/${monitor}/cmdline`, 'utf8').split('\0');
    return words[words.indexOf('--program') + 1] ?? '';
  } catch {
    return '';
  }
}

function table(places: Places, monitor: number, execs: readonly number[]): string {
  const { process } = parseConfigText(readFileSync(places.config, 'utf8')).spec;
  const rows = [
    ['PID', 'KIND', 'PROGRAM'],
    [String(monitor), 'container', process?.args[0] ?? ''],
    ...execs.map((pid) => [String(pid), 'exec', programOf(pid)]),
  ];
  return rows.map(([a = '', b = '', c = '']) => `${a.padEnd(10)}${b.padEnd(11)}${c}\n`).join('');
}

/**
 * `ps`: the processes in Dom0 that stand for those of the container: its monitor and one for each exec. containerd asks at its
 * start, as JSON, and takes a task without any for a leak. Throws DOES_NOT_EXIST, WRONG_STATE, USAGE.
 */
export async function ps(config: Config, root: string, id: string, format: string): Promise<string> {
  checkId(id);
  if (format !== 'json' && format !== 'table')
    throw new VxnError('USAGE', `unknown format "${format}"`, { hint: 'table or json' });
  const places = placesOf(config, root, id);
  const container = load(places);
  const { holder: monitor } = container;
  const status = statusOf(places, container);
  if (monitor === undefined || status === 'stopped' || status === 'creating') {
    throw new VxnError('WRONG_STATE', 'container not running');
  }
  const execs = status === 'created' ? [] : await execMonitors(domainOf(config, container));
  return format === 'json'
    ? `${JSON.stringify([monitor.pid, ...execs])}\n`
    : table(places, monitor.pid, execs);
}
