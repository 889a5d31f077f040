// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { describeProcess, EXEC } from '../channel/description.ts';
import { DESCRIPTION_MAX, encodeDescription, TERMINAL_BYTES, Type } from '../channel/protocol.ts';
import {
  type Container,
  checkId,
  domainOf,
  type Places,
  placesOf,
  seccompFilter,
} from '../container/container.ts';
import { type HolderPlan, startDetached, startForeground } from '../container/holder.ts';
import { writePidFile } from '../container/pid-file.ts';
import { type Status, statusOf } from '../container/status.ts';
import { planStdio } from '../container/stdio.ts';
import { load } from '../container/store.ts';
import type { Context } from '../domain/context.ts';
import { isPaused } from '../domain/paused.ts';
import type { Caller } from '../host/caller.ts';
import { callerPath } from '../host/caller-path.ts';
import { messageOf, VxnError } from '../host/errors.ts';
import { parseConfigText } from '../spec/bundle.ts';
import { capabilityBit } from '../spec/capabilities.ts';
import { type Capabilities, type Process, parseProcess } from '../spec/spec.ts';

export interface ExecOptions {
  id: string;
  /** The program and its arguments. Empty with processFile. */
  command: readonly string[];
  /** A file with the process in the specification's form. The options below do not apply then. */
  processFile: string | undefined;
  detach: boolean;
  pidFile: string | undefined;
  consoleSocket: string | undefined;
  tty: boolean;
  /** NAME=value each. They replace the container's own. */
  env: readonly string[];
  cwd: string | undefined;
  /** UID or UID:GID. */
  user: string | undefined;
  additionalGids: readonly string[];
  /** Names of capabilities to add to the container's own. */
  capabilities: readonly string[];
  noNewPrivileges: boolean;
  ignorePaused: boolean;
}

const FAILED = 255;
const U32 = 0xffffffff;

function number(text: string, what: string): number {
  const n = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(n <= U32)) throw new VxnError('USAGE', `bad ${what}: "${text}" is not a number from 0 to ${U32}`);
  return n;
}

function containerProcess(places: Places): Process {
  const { process } = parseConfigText(readFileSync(places.config, 'utf8')).spec;
  if (process === undefined) throw new VxnError('INVALID_SPEC', 'config.json: process is missing');
  return process;
}

/** The process of a file. As with runc, the container's own process supplies missing parts. */
function fromFile(file: string, places: Places): Process {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new VxnError('INVALID_SPEC', `${file}: ${messageOf(error)}`);
  }
  let process: Process;
  try {
    process = parseProcess(value);
  } catch (error) {
    if (!(error instanceof VxnError)) throw error;
    throw new VxnError(error.code, error.message.replace('config.json', file));
  }
  if (process.capabilities !== undefined && process.rlimits.length > 0) return process;
  const own = containerProcess(places);
  return {
    ...process,
    capabilities: process.capabilities ?? own.capabilities,
    rlimits: process.rlimits.length > 0 ? process.rlimits : own.rlimits,
  };
}

/**
 * The container's environment with the added entries. Later entries replace earlier ones of the
 * same name, because programs look only at the first one. Throws USAGE.
 */
export function mergeEnvironment(own: readonly string[], added: readonly string[]): string[] {
  for (const entry of added) {
    if (entry.indexOf('=') <= 0)
      throw new VxnError('USAGE', `--env: ${JSON.stringify(entry)} is not NAME=value`);
  }
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='));
  return [...new Map([...own, ...added].map((entry) => [nameOf(entry), entry])).values()];
}

function withCapabilities(own: Capabilities | undefined, names: readonly string[]): Capabilities | undefined {
  if (names.length === 0) return own;
  const added = names.reduce((set, name) => {
    const bit = capabilityBit(name);
    if (bit === undefined) throw new VxnError('USAGE', `--cap: not a capability: "${name}"`);
    return set | bit;
  }, 0n);
  const { bounding, effective, inheritable, permitted, ambient } = own ?? {
    bounding: 0n,
    effective: 0n,
    inheritable: 0n,
    permitted: 0n,
    ambient: 0n,
  };
  return {
    bounding: bounding | added,
    effective: effective | added,
    inheritable: inheritable | added,
    permitted: permitted | added,
    ambient: ambient | added,
  };
}

/** The container's own process with the changes of the command line. Throws USAGE. */
export function fromCommandLine(own: Process, options: ExecOptions): Process {
  const [uid, gid] = options.user?.split(/:(.*)/s) ?? [];
  const cwd = options.cwd ?? own.cwd;
  if (!cwd.startsWith('/')) throw new VxnError('USAGE', 'Cwd must be an absolute path');
  return {
    ...own,
    args: [...options.command],
    terminal: options.tty,
    consoleSize: undefined,
    env: mergeEnvironment(own.env, options.env),
    cwd,
    uid: uid === undefined ? own.uid : number(uid, 'uid'),
    gid: gid === undefined ? own.gid : number(gid, 'gid'),
    additionalGids: [
      ...own.additionalGids,
      ...options.additionalGids.flatMap((g) => g.split(',')).map((g) => number(g, 'additional gid')),
    ],
    capabilities: withCapabilities(own.capabilities, options.capabilities),
    noNewPrivileges: own.noNewPrivileges || options.noNewPrivileges,
  };
}

function readProcess(options: ExecOptions, places: Places, caller: Caller): Process {
  const { processFile, command } = options;
  if (processFile !== undefined && command.length > 0)
    throw new VxnError('USAGE', 'either --process or a command, not both');
  if (processFile !== undefined) return fromFile(callerPath(caller, processFile), places);
  if (command.length === 0) {
    throw new VxnError('USAGE', 'a command, or --process FILE, is missing', { hint: 'see exec --help' });
  }
  return fromCommandLine(containerProcess(places), options);
}

function refuse(status: Status): void {
  if (status === 'running') return;
  if (status === 'stopped') throw new VxnError('WRONG_STATE', 'cannot exec in a stopped container');
  throw new VxnError('WRONG_STATE', 'container not running', { hint: 'start it first' });
}

function plan(
  { config, caller }: Context,
  options: ExecOptions,
  places: Places,
  container: Container,
): HolderPlan {
  const process = readProcess(options, places, caller);
  const stdio = planStdio(process, options.consoleSocket, !options.detach, caller);
  const description = describeProcess(process, false, seccompFilter(places, container));
  if (description.length + TERMINAL_BYTES > DESCRIPTION_MAX)
    throw new VxnError('INVALID_SPEC', 'the description of the process is larger than 4 MiB');
  return {
    id: options.id,
    places,
    domain: domainOf(config, container),
    program: process.args[0] ?? '',
    description: encodeDescription(Type.Process, EXEC, description, process.terminal),
    cgroups: container.cgroup?.join ?? [],
    oomScoreAdj: process.oomScoreAdj,
    stdio,
  };
}

async function run(context: Context, options: ExecOptions): Promise<number> {
  const { config, root, caller } = context;
  checkId(options.id);
  const places = placesOf(config, root, options.id);
  const container = load(places);
  refuse(statusOf(places, container));
  const domain = domainOf(config, container);
  if (!options.ignorePaused && existsSync(domain.paused) && isPaused(domain) === true)
    throw new VxnError('WRONG_STATE', 'cannot exec in a paused container (use --ignore-paused to override)');
  const pidFile = options.pidFile === undefined ? undefined : callerPath(caller, options.pidFile);
  if (!options.detach) {
    const { pid, ended } = await startForeground(config, plan(context, options, places, container), caller);
    if (pidFile !== undefined) writePidFile(pidFile, pid);
    return ended;
  }
  const pid = startDetached(config, plan(context, options, places, container), caller);
  try {
    if (pidFile !== undefined) writePidFile(pidFile, pid);
  } catch (error) {
    process.kill(pid, 'SIGKILL');
    throw error;
  }
  return 0;
}

/**
 * `exec`: runs a further process in a running container. When detached it gives 0 as soon as the
 * program runs. Otherwise it gives the program's exit status, 128 + N after signal N. Every failure
 * has exit code 255 and runc's words. Throws DOES_NOT_EXIST, WRONG_STATE, USAGE, INVALID_SPEC,
 * GUEST, MONITOR.
 */
export async function exec(context: Context, options: ExecOptions): Promise<number> {
  try {
    return await run(context, options);
  } catch (error) {
    if (!(error instanceof VxnError)) throw error;
    const { code, message, hint } = error;
    throw new VxnError(code, `exec failed: ${message}`, {
      exitCode: FAILED,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
