// SPDX-License-Identifier: MIT
// Starting the monitor: the detached process that the engine will wait for.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from '../config.ts';
import { messageOf, VxnError } from '../errors.ts';
import type { Places } from './container.ts';
import { identify, type ProcessId } from './process-id.ts';

export interface MonitorPlan {
  id: string;
  uuid: string;
  places: Places;
  /** A network namespace's path, 'new', or undefined to stay in the caller's. */
  netns: string | undefined;
  oomScoreAdj: number | undefined;
  /** Folders of the cgroups that it joins. */
  cgroups: readonly string[];
}

export interface Monitor {
  process: ProcessId;
  domid: number;
}

const READY_MS = 60_000;

/** The command line of the monitor. */
export function monitorArgs(config: Config, plan: MonitorPlan): string[] {
  const { places } = plan;
  const args = ['--id', plan.id, '--uuid', plan.uuid, '--run-dir', places.run, '--log-dir', places.lib];
  args.push('--xl', config.xl, '--log-bytes', String(config.logSize * 1024));
  if (plan.netns !== undefined) args.push('--netns', plan.netns);
  if (plan.oomScoreAdj !== undefined) args.push('--oom-score-adj', String(plan.oomScoreAdj));
  for (const cgroup of plan.cgroups) args.push('--cgroup', cgroup);
  return args;
}

// The monitor writes one line, "ok DOMID" or what is wrong, and closes the descriptor.
function firstLine(child: ChildProcess, pipe: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`no answer within ${READY_MS / 1000} s`)), READY_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve(text.trim());
    };
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => {
      text += chunk;
    });
    pipe.on('end', done);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/**
 * Starts the monitor with this process's fds 0 to 2 as the container's, in a session of its own, and waits until it
 * watches the domain. Throws MONITOR.
 */
export async function startMonitor(config: Config, plan: MonitorPlan): Promise<Monitor> {
  const command = join(config.libexecDir, 'vxn-monitor');
  const child = spawn(command, monitorArgs(config, plan), {
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    cwd: '/',
  });
  const pipe = child.stdio[3] as Readable;
  let line: string;
  try {
    line = await firstLine(child, pipe);
  } catch (error) {
    child.kill('SIGKILL');
    throw new VxnError('MONITOR', `cannot start ${command}: ${messageOf(error)}`);
  }
  const domid = /^ok (\d+)$/.exec(line)?.[1];
  const self = child.pid === undefined ? undefined : identify(child.pid);
  if (domid === undefined || self === undefined) {
    child.kill('SIGKILL');
    throw new VxnError('MONITOR', `vxn-monitor: ${line === '' ? 'died at once' : line}`);
  }
  child.unref();
  return { process: self, domid: Number(domid) };
}
