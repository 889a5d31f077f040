// SPDX-License-Identifier: MIT
// Removing whatever there is of a container, from any state that a crash can leave. Doing it twice does no harm.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { waitAtGate } from '../channel/requests.ts';
import { errno, VxnError } from '../host/errors.ts';
import { identify, isAlive, type ProcessId } from '../host/process-id.ts';
import type { Context } from '../verbs/context.ts';
import { killByMonitor } from '../verbs/kill.ts';
import { removeCgroup } from './cgroup.ts';
import type { Places, Stored } from './container.ts';

const DESTROY_MS = 180_000;
const MONITOR_MS = 10_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function signal(id: ProcessId, name: NodeJS.Signals): void {
  try {
    if (isAlive(id)) process.kill(id.pid, name);
  } catch {
    // It ended by itself.
  }
}

// The monitor ends at once, or when its reader has had a moment for the rest of the output. One that hangs is killed: its
// status is 137 then as well, and the domain is destroyed below.
async function waitForMonitor(monitor: ProcessId): Promise<void> {
  const deadline = Date.now() + MONITOR_MS;
  for (let ms = 1; isAlive(monitor) && Date.now() < deadline; ms = Math.min(2 * ms, 50)) await sleep(ms);
  signal(monitor, 'SIGKILL');
}

async function destroyDomain(context: Context, stored: Stored): Promise<void> {
  const toolstack = await context.toolstack();
  const { domid, uuid } = stored;
  const ours =
    domid === undefined
      ? toolstack.findDomain(stored.domain, uuid)
      : toolstack.isOurs(domid, uuid)
        ? domid
        : undefined;
  if (ours === undefined) return;
  toolstack.destroy(ours);
  if (toolstack.isOurs(ours, uuid)) {
    throw new VxnError('TOOLSTACK', `domain ${ours} (${stored.domain}) could not be destroyed`, {
      hint: `look at xl list and /var/log/xen; then delete again`,
    });
  }
}

// A create that was killed leaves its children: mke2fs and xl go on, and xl would make the domain after we looked for it.
// Each of them names the container's folder in its arguments.
function strays(places: Places): { id: ProcessId; command: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8');
      const id =
        command.includes(`${places.lib}/`) || command.includes(`${places.lib}\0`)
          ? identify(Number(entry))
          : undefined;
      return id === undefined ? [] : [{ id, command }];
    } catch {
      return [];
    }
  });
}

async function endStrays(places: Places): Promise<void> {
  const deadline = Date.now() + DESTROY_MS;
  for (const { id, command } of strays(places)) {
    // A killed xl leaves a half-made domain that nobody can find by name: it may finish.
    if (!command.includes('\0create\0')) signal(id, 'SIGKILL');
    while (isAlive(id) && Date.now() < deadline) await sleep(20);
  }
}

/**
 * Ends the monitor, destroys the domain after checking that it is ours, removes its cgroups and every file. Throws
 * TOOLSTACK or HOST when the domain or a cgroup would not go; what is left then is found by the next call. beforeFiles is
 * called when only files are left.
 */
export async function removeContainer(
  context: Context,
  places: Places,
  stored: Stored,
  beforeFiles: () => void | Promise<void> = () => undefined,
): Promise<void> {
  const { maker, monitor } = stored;
  if (maker.pid !== process.pid) signal(maker, 'SIGKILL');
  killByMonitor(places);
  if (monitor === undefined) await endStrays(places);
  else await waitForMonitor(monitor);
  // The monitor's `xl destroy` holds the gate as long as it works.
  if (!existsSync(places.gone)) waitAtGate(places.endGate);
  if (!existsSync(places.gone)) await destroyDomain(context, stored);
  if (stored.cgroup !== undefined) await removeCgroup(stored.cgroup);
  if (stored.network?.address !== undefined)
    (await import('../domain/bridge.ts')).giveBackAddress(stored.network, context.config, stored);
  await beforeFiles();
  removeFiles(places);
}

// What we put there ourselves are files; only for anything else rmSync's recursion is loaded, which takes node as long as all
// of this.
function removeEntry(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') rmSync(path, { recursive: true, force: true });
  }
}

// last: names of files that go after all others, in this order.
function removeFolder(folder: string, last: readonly string[] = []): void {
  try {
    const names = readdirSync(folder).filter((name) => !last.includes(name));
    for (const name of [...names, ...last]) removeEntry(join(folder, name));
    rmdirSync(folder);
  } catch (error) {
    // Another call has put something there: its own claim, or a new container.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errno(error) ?? '')) throw error;
  }
}

/** Removes the container's folders, the one with its state last. The caller holds places.deleting, or made the container. */
export function removeFiles(places: Places): void {
  removeFolder(places.lib);
  removeFolder(places.run, [basename(places.state), basename(places.deleting)]);
}
