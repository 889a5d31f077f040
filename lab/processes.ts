// SPDX-License-Identifier: MIT
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** The start time in clock ticks since the boot, and the id of that boot. */
  startTime: string;
}

/** The identity of a running process. undefined when there is none, or only a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name is in parentheses and may hold any character. The state follows it. Field 22 is the
  // start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields[19];
  if (!ticks || fields[0] === 'Z') return undefined;
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  return { pid, startTime: `${ticks}@${boot}` };
}

/** True while that very process runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startTime === identity.startTime;
}

/**
 * Ends that very process with SIGTERM, and with SIGKILL after a grace period. Throws when it stays.
 */
export async function end(identity: ProcessIdentity, graceMs = 5000): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isAlive(identity))) return;
    process.kill(identity.pid, signal);
    const bound = Date.now() + graceMs;
    // The process is no child of ours, so nothing tells us of its end.
    while (Date.now() < bound && (await isAlive(identity))) await sleep(20);
  }
  if (await isAlive(identity)) throw new Error(`process ${identity.pid} does not end`);
}
