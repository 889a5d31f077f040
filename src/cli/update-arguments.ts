// SPDX-License-Identifier: MIT
// The command line of `update`: runc's flags, or --resources with a whole linux.resources object.
import { closeSync, openSync } from 'node:fs';
import type { Caller } from '../host/caller.ts';
import { callerPath } from '../host/caller-path.ts';
import { messageOf, VxnError } from '../host/errors.ts';
import type { Json } from '../spec/read.ts';
import { readAll } from './input.ts';
import type { Kinds } from './options.ts';

const RESOURCES_MAX = 1 << 20;

const UNITS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 10, m: 20, g: 30, t: 40, p: 50 };

/**
 * Bytes of a text such as 512m, 1.5GiB or 1048576; -1 for no limit; undefined for a text that is
 * no size. Units are powers of 1024, as runc takes them.
 */
export function parseBytes(text: string): number | undefined {
  if (text === '-1') return -1;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 2 ** (UNITS[match[2]?.toLowerCase() ?? ''] ?? 0));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const wholeNumber = (text: string): number | undefined =>
  /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
const asIs = (text: string): string => text;

type Reader = (text: string) => number | string | undefined;

/** runc's flags, and the property of linux.resources that each of them sets. */
const FLAGS: Readonly<Record<string, readonly [section: string, key: string, read: Reader]>> = {
  memory: ['memory', 'limit', parseBytes],
  'cpu-quota': ['cpu', 'quota', wholeNumber],
  'cpu-period': ['cpu', 'period', wholeNumber],
  'cpu-share': ['cpu', 'shares', wholeNumber],
  'cpuset-cpus': ['cpu', 'cpus', asIs],
  'memory-reservation': ['memory', 'reservation', parseBytes],
  'memory-swap': ['memory', 'swap', parseBytes],
  'kernel-memory': ['memory', 'kernel', parseBytes],
  'kernel-memory-tcp': ['memory', 'kernelTCP', parseBytes],
  'cpu-burst': ['cpu', 'burst', wholeNumber],
  'cpu-idle': ['cpu', 'idle', wholeNumber],
  'cpu-rt-period': ['cpu', 'realtimePeriod', wholeNumber],
  'cpu-rt-runtime': ['cpu', 'realtimeRuntime', wholeNumber],
  'cpuset-mems': ['cpu', 'mems', asIs],
  'blkio-weight': ['blockIO', 'weight', wholeNumber],
  'pids-limit': ['pids', 'limit', wholeNumber],
  'l3-cache-schema': ['intelRdt', 'l3CacheSchema', asIs],
  'mem-bw-schema': ['intelRdt', 'memBwSchema', asIs],
};

/** The names of the flags that `update` takes beside --resources. */
export const UPDATE_FLAGS: readonly string[] = Object.keys(FLAGS);

export const UPDATE_OPTIONS: Kinds = {
  resources: 'value',
  ...Object.fromEntries(UPDATE_FLAGS.map((flag) => [flag, 'value' as const])),
};

type Source = Pick<Caller, 'cwd' | 'fds'>;

function readSource(caller: Source, name: string): string {
  const fd = name === '-' ? caller.fds[0] : openSync(callerPath(caller, name), 'r');
  try {
    const bytes = readAll(fd, RESOURCES_MAX);
    if (bytes === undefined) throw new VxnError('USAGE', '--resources: more than 1 MiB');
    return bytes.toString('utf8');
  } finally {
    if (name !== '-') closeSync(fd);
  }
}

function readResources(caller: Source, name: string): Json {
  try {
    const value: unknown = JSON.parse(readSource(caller, name));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('must be a JSON object');
    return value as Json;
  } catch (error) {
    if (error instanceof VxnError) throw error;
    throw new VxnError('USAGE', `--resources ${name}: ${messageOf(error)}`);
  }
}

/**
 * The linux.resources object that a command line asks for: of its flags, or of the file that
 * --resources names, `-` for the caller's standard input. Throws USAGE.
 */
export function wantedResources(caller: Source, options: ReadonlyMap<string, string>): Json {
  const source = options.get('resources');
  // As with runc, all other options are ignored then.
  if (source !== undefined) return readResources(caller, source);
  const wanted: Record<string, Record<string, unknown>> = {};
  for (const [flag, text] of options) {
    const [section, key, read] = FLAGS[flag] ?? [];
    if (section === undefined || key === undefined || read === undefined) continue;
    const value = read(text);
    if (value === undefined) throw new VxnError('USAGE', `invalid value for ${flag}: "${text}"`);
    wanted[section] = { ...wanted[section], [key]: value };
  }
  if (Object.keys(wanted).length > 0) return wanted;
  throw new VxnError('USAGE', 'update needs --resources FILE or a limit', { hint: 'see update --help' });
}
