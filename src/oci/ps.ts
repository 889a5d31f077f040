// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { VxnError } from '../errors.ts';
import { checkId, load, placesOf, statusOf } from './container.ts';

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/**
 * `ps`: the processes in Dom0 that stand for the container, which is its monitor. containerd asks at its start, as JSON, and
 * takes a task without any for a leak. Throws DOES_NOT_EXIST, WRONG_STATE, USAGE.
 */
export function ps(config: Config, root: string, id: string, format: string): string {
  checkId(id);
  const places = placesOf(config, root, id);
  const stored = load(places);
  const { monitor } = stored;
  const status = statusOf(places, stored);
  if (monitor === undefined || (status !== 'running' && status !== 'created')) {
    throw new VxnError('WRONG_STATE', 'container not running');
  }
  if (format === 'json') return `[${monitor.pid}]\n`;
  if (format !== 'table')
    throw new VxnError('USAGE', `unknown format "${format}"`, { hint: 'table or json' });
  return `PID       COMMAND\n${String(monitor.pid).padEnd(10)}${commandLine(monitor.pid)}\n`;
}
