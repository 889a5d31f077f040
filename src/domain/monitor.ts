// SPDX-License-Identifier: MIT
// Starts the monitor: the detached process in Dom0 that owns a domain.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import { identify, type ProcessId } from '../host/process-id.ts';
import { encodeSteps, type Step, stepEnvironment } from '../host/step.ts';
import type { DomainPlaces } from './domain.ts';

/** The container whose first process the monitor stands for, as its holder. */
export interface OwnContainer {
  id: string;
  /** The folder of its volatile state. */
  run: string;
  /** The folder of its disk and logs. */
  lib: string;
  /** Arguments that say where the program's stdio is, and which process waits for its end. */
  args: readonly string[];
  /** Descriptors 0 to 2 of the holder. */
  fds: readonly (number | 'ignore')[];
}

export interface MonitorPlan {
  uuid: string;
  places: DomainPlaces;
  container: OwnContainer;
  /** A network namespace's path, or 'new'. */
  netns: string;
  oomScoreAdj: number | undefined;
  /** Folders of the cgroups that it joins. */
  cgroups: readonly string[];
  /** Arguments for this kind of domain and this toolstack. */
  args: readonly string[];
  /** The programs that make the domain, in order, and the file that lists them for the monitor. */
  steps: readonly Step[];
  stepsFile: string;
  /** PATH of the steps. */
  path: string;
}

export interface Monitor {
  process: ProcessId;
  domid: number;
}

/** The command line of the monitor. */
export function monitorArgs(config: Config, plan: MonitorPlan): string[] {
  const { places, container } = plan;
  const args = ['--id', container.id, '--uuid', plan.uuid];
  args.push('--domain-dir', places.run, '--domain-log-dir', places.lib);
  args.push('--run-dir', container.run, '--log-dir', container.lib);
  args.push('--prepare', plan.stepsFile, '--log-bytes', String(config.logSize * 1024));
  args.push('--netns', plan.netns);
  if (plan.oomScoreAdj !== undefined) args.push('--oom-score-adj', String(plan.oomScoreAdj));
  for (const cgroup of plan.cgroups) args.push('--cgroup', cgroup);
  return [...args, ...container.args, ...plan.args];
}

function ready(line: string): Monitor | undefined {
  const [, domid, pid] = /^ok (\d+) (\d+)\n$/.exec(line) ?? [];
  const self = pid === undefined ? undefined : identify(Number(pid));
  return self === undefined ? undefined : { process: self, domid: Number(domid) };
}

function failure(command: string, steps: readonly Step[], said: string): VxnError {
  const [, name, status, stderr = ''] = /^failed (\S+) (\d+)\n(.*)$/s.exec(said) ?? [];
  const step = steps.find((s) => s.name === name);
  if (step !== undefined) return step.failure(Number(status), stderr.trimEnd());
  return new VxnError('MONITOR', `${command}: ${said.trim() === '' ? 'died at once' : said.trim()}`);
}

/**
 * Starts the monitor in a session of its own. It runs the steps that make the domain. This
 * function waits until the monitor watches the domain and has sent the terminal, if there is one.
 * Throws MONITOR, or the failure of a step.
 */
export function startMonitor(config: Config, plan: MonitorPlan): Monitor {
  const command = join(config.libexecDir, 'vxn-monitor');
  writeFileSync(plan.stepsFile, encodeSteps(plan.steps), { mode: 0o600 });
  const { error, output } = spawnSync(command, monitorArgs(config, plan), {
    stdio: [...plan.container.fds, 'pipe'],
    encoding: 'utf8',
    cwd: '/',
    env: stepEnvironment(plan.path),
  });
  if (error !== undefined) throw new VxnError('MONITOR', `cannot start ${command}: ${error.message}`);
  const said = output[3] ?? '';
  const monitor = ready(said);
  if (monitor === undefined) throw failure('vxn-monitor', plan.steps, said);
  return monitor;
}
