// SPDX-License-Identifier: MIT
// The booted lab with vxn in it, and what the end-to-end tests say in a word.
import assert from 'node:assert/strict';
import { deploy } from '../../lab/deploy.ts';
import { type ExecOptions, type ExecResult, ensureLab, type Lab } from '../../lab/lab.ts';
import { IMAGE } from '../../lab/oci-image.ts';

export { IMAGE };

/** containerd's root of its default namespace, as the shim passes it. */
export const ROOT = '/run/containerd/runc/default';

/** Generous: an emulated machine that is busy with ten guests is slow, not stuck. */
export const TIMEOUT_MS = 240_000;

let lab: Promise<Lab> | undefined;

async function boot(): Promise<Lab> {
  const booted = await ensureLab();
  await deploy(booted);
  return booted;
}

/** The lab, booted and up to date; the same one for every test of a file. */
export function dom0(): Promise<Lab> {
  lab ??= boot();
  return lab;
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

// One line for each thing of ours that is still there.
const REMAINS = `
xl list | awk 'NR > 2 { print "domain: " $0 }'
ip -o link | grep -E ': vif[0-9]' | sed 's/^/interface: /'
find /run/vxn/leases -type f 2>/dev/null | sed 's/^/lease: /'
losetup -a | sed 's/^/loop: /'
ps -eo args= | grep -E '^([^ ]*/)?(vxn-monitor|vxn-block|xl (create|destroy)|node [^ ]*vxn-oci-runtime|node --snapshot)' | sed 's/^/process: /'
grep -E 'vxn|root\\.img' /proc/mounts | sed 's/^/mount: /'
find /run/vxn -mindepth 2 -not -path '/run/vxn/leases/*' 2>/dev/null | sed 's/^/file: /'
find /var/lib/vxn -mindepth 2 -not -path '/var/lib/vxn/timelines/*' 2>/dev/null | sed 's/^/file: /'
ctr containers ls -q | sed 's/^/container: /'
find /run/containerd/io.containerd.runtime.v2.task/default -mindepth 1 -maxdepth 1 2>/dev/null | sed 's/^/task: /'
`;

// Ends what a test that failed has left, so that it is not the failure of those that follow.
const SCRUB = `
for name in $(xl list | awk 'NR > 2 { print $1 }'); do xl destroy "$name"; done
for id in $(ctr containers ls -q); do
  ctr task rm -f "$id"; ctr containers rm "$id"; ctr snapshots rm "$id"
done
pkill -9 vxn-monitor; pkill -9 -f '[/]vxn-oci-runtime'
for state in /run/vxn/*/*/state.json; do
  [ -e "$state" ] || continue
  folder=\${state%/state.json}; hash=\${folder%/*}
  rm -rf "$folder" "/var/lib/vxn/\${hash##*/}/\${folder##*/}"
done
losetup -D
`;

/** Fails when anything of ours is left in Dom0. A shim may need a moment after its client has returned. */
export async function assertClean(): Promise<void> {
  let left = '';
  for (let attempt = 0; attempt < 20; attempt++) {
    left = await mustSh(REMAINS);
    if (left === '') return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const { stdout, stderr } = await dom0Sh(SCRUB);
  assert.fail(`left:\n${left}scrubbed:\n${stdout}${stderr}`);
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

/** Waits until a task has stopped and removes it and its container; its exit status, as ctr reports it. */
export async function removeTask(id: string): Promise<number> {
  await waitFor(`ctr task ls | grep -qE '^${id} .*STOPPED'`);
  const { stderr } = await dom0Sh(`ctr task rm ${id} && ctr c rm ${id}`);
  return Number(/non-zero exit code (\d+)/.exec(stderr)?.[1] ?? 0);
}
