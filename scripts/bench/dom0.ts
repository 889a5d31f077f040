// SPDX-License-Identifier: MIT
// The common parts of the benchmarks in the lab: commands in Dom0, their time by its own clock, and
// a line for each goal.
import type { Lab } from '../../lab/lab.ts';
import { IMAGE } from '../../lab/oci-image.ts';

const ROOT = '/run/containerd/runc/default';

/** Prints a line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a figure and whether it reaches its goal. */
export function goal(name: string, value: number, unit: string, limit: number, atMost = true): void {
  const met = atMost ? value <= limit : value >= limit;
  say(
    `  ${name.padEnd(52)}${value.toFixed(2).padStart(9)} ${unit.padEnd(6)} goal ${atMost ? '<=' : '>='} ${limit}: ${met ? 'met' : 'MISSED'}`,
  );
}

/** Runs a script in Dom0, with IMAGE and ROOT set. Gives its output. Throws when it fails. */
export async function sh(lab: Lab, script: string): Promise<string> {
  const { status, stdout, stderr } = await lab.sh(script, { env: { IMAGE, ROOT }, timeoutMs: 600_000 });
  if (status !== 0) throw new Error(`${script}: status ${status}\n${stdout}\n${stderr}`);
  return stdout.toString();
}

/** The seconds that a command takes by Dom0's own clock. Throws when it fails. */
export async function seconds(lab: Lab, command: string): Promise<number> {
  const out = await sh(
    lab,
    `a=$(cut -d' ' -f1 /proc/uptime); ${command} >/dev/null 2>&1 || exit; b=$(cut -d' ' -f1 /proc/uptime); echo "$a $b"`,
  );
  const [a, b] = out.trim().split(' ').map(Number);
  return (b ?? 0) - (a ?? 0);
}
