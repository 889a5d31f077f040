// SPDX-License-Identifier: MIT
// The booted lab with vxn in it, and what the end-to-end tests say in a word.
import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploy } from '../../lab/deploy.ts';
import { type ExecOptions, type ExecResult, ensureLab, type Lab } from '../../lab/lab.ts';
import { IMAGE } from '../../lab/oci-image.ts';
import { remains, scrub } from './remains.ts';

export { IMAGE };

/** containerd's root of its default namespace, as the shim passes it. */
export const ROOT = '/run/containerd/runc/default';

/** Generous: an emulated machine that is busy with ten guests, on a host that is busy itself, is slow, not stuck. */
export const TIMEOUT_MS = 480_000;

/** Set when somebody has put vxn of this tree into the lab already: `npm test` does, once for all files. */
const IS_DEPLOYED = process.env.VXN_LAB_DEPLOYED !== undefined;

let lab: Promise<Lab> | undefined;
let inherited = '';

async function boot(): Promise<Lab> {
  const booted = await ensureLab();
  if (!IS_DEPLOYED) await deploy(booted);
  inherited = await takeOver(booted);
  return booted;
}

/** The lab, booted and up to date; the same one for every test of a file. */
export function dom0(): Promise<Lab> {
  lab ??= boot();
  return lab;
}

/** The first test of each file: it fails when the file that ran before in this Dom0 has left something, and names it. */
export function startsClean(): void {
  test('the file before has left nothing', async () => {
    await dom0();
    assert.equal(inherited, '');
  });
}

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

export function text(result: ExecResult): Outcome {
  return { status: result.status, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

/** Runs a command in Dom0. */
export async function dom0Exec(argv: readonly string[], options: ExecOptions = {}): Promise<Outcome> {
  return text(await (await dom0()).exec(argv, { timeoutMs: TIMEOUT_MS, ...options }));
}

/** Runs a shell script in Dom0, with IMAGE and ROOT set. */
export function dom0Sh(script: string, options: ExecOptions = {}): Promise<Outcome> {
  return dom0Exec(['/bin/sh', '-c', script], { ...options, env: { IMAGE, ROOT, ...options.env } });
}

/** A shell script that must end with status 0. */
export async function mustSh(script: string, options: ExecOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await dom0Sh(script, options);
  assert.equal(status, 0, `${script}\n${stdout}\n${stderr}`);
  return stdout;
}

/** `vctr run --rm FLAGS IMAGE ID CMD...` */
export function vctrRun(
  id: string,
  command: readonly string[],
  flags: readonly string[] = [],
  options: ExecOptions = {},
) {
  return dom0Exec(['vctr', 'run', '--rm', ...flags, IMAGE, id, ...command], options);
}

/** The runtime itself, under containerd's root. */
export function runtime(...args: string[]): Promise<Outcome> {
  return dom0Exec(['vxn-oci-runtime', '--root', ROOT, ...args]);
}

/** The file of tests that ran last in this Dom0. */
const LAST = '/run/vxn-test/last';

/** Notes that this file is at work in Dom0. What the one before has left, with its name; it is removed then. */
async function takeOver(booted: Lab): Promise<string> {
  const file = relative(process.cwd(), process.argv[1] ?? '');
  const script = `mkdir -p /run/vxn-test; cat ${LAST} 2>/dev/null || echo a person; echo "$FILE" >${LAST}`;
  const maker = (await booted.sh(script, { env: { FILE: file } })).stdout.toString().trim();
  const left = await remains(booted, TIMEOUT_MS);
  if (left.length === 0) return '';
  await scrub(booted, TIMEOUT_MS);
  return `left by ${maker}:\n${left.join('\n')}`;
}

/** How long a shim or a monitor may need after its client has returned. */
const MOMENT_MS = 20_000;

/** Fails when anything of ours is left in Dom0. */
export async function assertClean(): Promise<void> {
  const booted = await dom0();
  const deadline = performance.now() + MOMENT_MS;
  let left = await remains(booted, TIMEOUT_MS);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(200);
    left = await remains(booted, TIMEOUT_MS);
  }
  if (left.length === 0) return;
  assert.fail(`left:\n${left.join('\n')}\nscrubbed:\n${await scrub(booted, TIMEOUT_MS)}`);
}

/** Waits for a condition in Dom0: a shell command that is tried until it succeeds, without sleeping on the host. */
export async function waitFor(condition: string, seconds = 120): Promise<void> {
  await mustSh(
    `n=0; until ${condition}; do n=$((n + 1)); [ $n -lt ${seconds * 5} ] || { echo "never: $C" >&2; exit 1; }; sleep 0.2; done`,
    {
      env: { C: condition },
    },
  );
}

/**
 * `remove ID`: waits until a task has stopped and removes it and its container; prints what ctr says of it. The shim has written
 * down the process. It collects it a moment after its end, and until then refuses to remove the task.
 */
export const REMOVE = `
remove() {
  pid=$(cat "/run/containerd/io.containerd.runtime.v2.task/default/$1/init.pid") || return
  timeout 120 tail --pid="$pid" -s 0.1 -f /dev/null
  for n in $(seq 100); do
    said=$(ctr task rm "$1" 2>&1) && break
    case $said in *'must be stopped'*) sleep 0.1 ;; *) echo "$said"; return 1 ;; esac
  done
  ctr containers rm "$1" && echo "$said"
}
`;

/** Waits until a task has stopped and removes it and its container; its exit status, as ctr reports it. */
export async function removeTask(id: string): Promise<number> {
  const said = await mustSh(`${REMOVE} remove ${id}`);
  return Number(/non-zero exit code (\d+)/.exec(said)?.[1] ?? 0);
}
