// SPDX-License-Identifier: MIT
// Starts a holder: the process that stands for a further process of a container.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from '../config/config.ts';
import type { DomainPlaces } from '../domain/domain.ts';
import type { Caller } from '../host/caller.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import type { Places } from './container.ts';
import { forwardSignals } from './foreground.ts';
import { readyLine, readyNumber } from './ready-line.ts';
import { type Stdio, stdioArgs, stdioFds } from './stdio.ts';

export interface HolderPlan {
  id: string;
  places: Places;
  domain: DomainPlaces;
  /** The program's name, for people who look at ps. Its arguments may be secret. */
  program: string;
  /** PROCESS frames. */
  description: Buffer;
  stdio: Stdio;
  /** Folders of the container's cgroups. */
  cgroups: readonly string[];
  oomScoreAdj: number | undefined;
}

// The exit status as a shell gives it. Call this right after the start, because the child may end
// early.
function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 255) : 128 + constants.signals[signal]),
    );
  });
}

// A paused guest, or one without memory, may be slow. The wait still has an end.
const READY_MS = 120_000;
const NAME_MAX = 64;

/** The command line of a holder. */
export function holderArgs(plan: HolderPlan): string[] {
  const { id, domain, program, stdio, cgroups, oomScoreAdj } = plan;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const name = program.slice(0, NAME_MAX).replace(/[\x00-\x1f\x7f]/g, '?');
  const args = ['exec', '--id', id, '--program', name, '--domain-dir', domain.run];
  for (const cgroup of cgroups) args.push('--cgroup', cgroup);
  if (oomScoreAdj !== undefined) args.push('--oom-score-adj', String(oomScoreAdj));
  if (stdio.foreground) args.push('--foreground');
  return [...args, ...stdioArgs(stdio)];
}

// The description has a file descriptor of its own, because every user of the machine can read a
// command line.
function withDescription<T>({ places, description }: HolderPlan, use: (fd: number) => T): T {
  const file = join(places.run, `exec.${process.pid}`);
  const fd = openSync(file, 'w+', 0o600);
  try {
    unlinkSync(file);
    for (let at = 0; at < description.length; ) at += writeSync(fd, description, at);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function failure(command: string, line: string): VxnError {
  if (line === '') return new VxnError('MONITOR', `${command}: died at once`);
  const text = line.replace(/^failed: /, '');
  return new VxnError(text.startsWith('container not running') ? 'WRONG_STATE' : 'GUEST', text);
}

function cannotStart(command: string, error: unknown): VxnError {
  if (errno(error) === 'ETIMEDOUT')
    return new VxnError('GUEST', `the guest gave no answer within ${READY_MS / 1000} s`, {
      hint: 'is its domain paused? see xl list',
    });
  return new VxnError('MONITOR', `cannot start ${command}: ${messageOf(error)}`);
}

/**
 * Starts the process and its holder, and leaves both. The holder has no parent, so the caller's
 * subreaper gets its status. Gives the holder's pid when the program runs. Throws GUEST with the
 * guest's reason, WRONG_STATE, MONITOR.
 */
export function startDetached(config: Config, plan: HolderPlan, caller: Caller): number {
  const command = join(config.libexecDir, 'vxn-monitor');
  const { error, output } = withDescription(plan, (fd) =>
    spawnSync(command, holderArgs(plan), {
      stdio: [...stdioFds(plan.stdio, caller), 'pipe', fd],
      encoding: 'utf8',
      timeout: READY_MS,
    }),
  );
  if (error !== undefined) throw cannotStart(command, error);
  const line = (output[3] ?? '').trim();
  const pid = readyNumber(line);
  if (pid === undefined) throw failure(command, line);
  return pid;
}

/**
 * Does the same as startDetached(), but the holder is our child. It gets the caller's signals, and
 * ends when we end. ended resolves with the program's exit status.
 */
export async function startForeground(
  config: Config,
  plan: HolderPlan,
  caller: Caller,
): Promise<{ pid: number; ended: Promise<number> }> {
  const command = join(config.libexecDir, 'vxn-monitor');
  // This comes before the program can print: a reader may answer with a signal at once.
  let started: ChildProcess | undefined;
  forwardSignals(caller, { kill: (signal) => started?.kill(signal) });
  const child = withDescription(plan, (fd) =>
    spawn(command, holderArgs(plan), { stdio: [...stdioFds(plan.stdio, caller), 'pipe', fd] }),
  );
  started = child;
  const ended = endOf(child);
  let line: string;
  try {
    line = await readyLine(child, child.stdio[3] as Readable, READY_MS);
  } catch (error) {
    child.kill('SIGKILL');
    throw cannotStart(command, error);
  }
  const pid = readyNumber(line);
  if (pid === undefined) throw failure(command, line);
  return { pid, ended };
}
