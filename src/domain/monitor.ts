// SPDX-License-Identifier: MIT
// Starting the monitor: the detached process that the engine will wait for.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Places } from '../container/container.ts';
import { type Stdio, stdioArgs, stdioFds } from '../container/stdio.ts';
import { VxnError } from '../host/errors.ts';
import { identify, type ProcessId } from '../host/process-id.ts';
import { encodeSteps, type Step, stepEnvironment } from '../host/step.ts';

export interface MonitorPlan {
  id: string;
  uuid: string;
  places: Places;
  /** A network namespace's path, or 'new'. */
  netns: string;
  oomScoreAdj: number | undefined;
  /** Folders of the cgroups that it joins. */
  cgroups: readonly string[];
  /** Arguments for this kind of guest. */
  guestArgs: readonly string[];
  /** What makes the domain, in order. */
  steps: readonly Step[];
  stdio: Stdio;
}

export interface Monitor {
  process: ProcessId;
  domid: number;
}

/** The command line of the monitor. */
export function monitorArgs(config: Config, plan: MonitorPlan): string[] {
  const { places } = plan;
  const args = ['--id', plan.id, '--uuid', plan.uuid, '--domain-dir', places.run, '--domain-log-dir', places.lib];
  args.push('--run-dir', places.run, '--log-dir', places.lib);
  args.push('--prepare', places.steps, '--xl', config.xl, '--log-bytes', String(config.logSize * 1024));
  args.push('--netns', plan.netns);
  if (plan.oomScoreAdj !== undefined) args.push('--oom-score-adj', String(plan.oomScoreAdj));
  for (const cgroup of plan.cgroups) args.push('--cgroup', cgroup);
  if (plan.stdio.foreground) args.push('--caller', String(process.pid));
  return [...args, ...stdioArgs(plan.stdio), ...plan.guestArgs];
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
 * Starts the monitor in a session of its own. It runs the steps that make the domain; this waits until it watches that and,
 * where there is one, has sent the terminal. Throws MONITOR, or what a step that failed has to say.
 */
export function startMonitor(config: Config, plan: MonitorPlan): Monitor {
  const command = join(config.libexecDir, 'vxn-monitor');
  writeFileSync(plan.places.steps, encodeSteps(plan.steps), { mode: 0o600 });
  const { error, output } = spawnSync(command, monitorArgs(config, plan), {
    stdio: [...stdioFds(plan.stdio), 'pipe'],
    encoding: 'utf8',
    cwd: '/',
    env: stepEnvironment(),
  });
  if (error !== undefined) throw new VxnError('MONITOR', `cannot start ${command}: ${error.message}`);
  const said = output[3] ?? '';
  const monitor = ready(said);
  if (monitor === undefined) throw failure('vxn-monitor', plan.steps, said);
  return monitor;
}
