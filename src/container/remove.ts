// SPDX-License-Identifier: MIT
// Removes a container, from any state that a crash can leave. Doing it twice does no harm.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Context } from '../domain/context.ts';
import { destroyOwn, endDomain, killDomain, removeDomainFiles } from '../domain/destroy.ts';
import { lazy } from '../domain/lazy.ts';
import { removeFolder } from '../host/files.ts';
import { identify, isAlive, type ProcessId } from '../host/process-id.ts';
import { until } from '../host/wait.ts';
import type { Toolstack } from '../xen/toolstack.ts';
import { removeCgroup } from './cgroup.ts';
import { type Container, domainOf, type Places } from './container.ts';

const STRAY_MS = 180_000;
const HOLDER_MS = 10_000;

function signal(id: ProcessId, name: NodeJS.Signals): void {
  try {
    if (isAlive(id)) process.kill(id.pid, name);
  } catch {
    // It ended by itself.
  }
}

// A holder ends at once, or gives its reader a moment for the rest of the output. A holder that
// hangs is killed. Its status is 137 then as well, and the domain is destroyed below.
async function waitForHolder(holder: ProcessId): Promise<void> {
  await until(() => !isAlive(holder), { timeoutMs: HOLDER_MS, firstMs: 1, maxMs: 50 });
  signal(holder, 'SIGKILL');
}

// A create that was killed leaves its children. mke2fs and xl go on, and xl would make the domain
// after we looked for it. Their command lines name a folder of the container or its domain.
function strays(folders: readonly string[]): { id: ProcessId; command: string }[] {
  const names = (command: string): boolean =>
    folders.some((folder) => command.includes(`${folder}/`) || command.includes(`${folder}\0`));
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8');
      const id = names(command) ? identify(Number(entry)) : undefined;
      return id === undefined ? [] : [{ id, command }];
    } catch {
      return [];
    }
  });
}

async function endStrays(toolstack: Toolstack, folders: readonly string[]): Promise<void> {
  const deadline = performance.now() + STRAY_MS;
  for (const { id, command } of strays(folders)) {
    // A killed xl leaves a half-made domain that has no name to find it by. So xl may finish.
    if (!toolstack.isCreating(command)) signal(id, 'SIGKILL');
    const timeoutMs = deadline - performance.now();
    await until(() => !isAlive(id), { timeoutMs, firstMs: 1, maxMs: 20 });
  }
}

async function removeLegacyDomain(context: Context, { legacy, id }: Container): Promise<void> {
  if (legacy === undefined) return;
  destroyOwn(await context.toolstack(), legacy);
  const { network, uuid } = legacy;
  if (network?.address !== undefined)
    (await lazy.bridge()).giveBackAddress({ mode: 'bridge', ...network }, context.config, { uuid, id });
}

/**
 * Ends the holder, and destroys the domain after a check that it is ours. Then it removes the
 * cgroups and every file. beforeFiles is called when only files are left. Throws TOOLSTACK or HOST
 * when the domain or a cgroup stays. The next call finds the rest.
 */
export async function removeContainer(
  context: Context,
  places: Places,
  container: Container,
  beforeFiles: () => void | Promise<void> = () => undefined,
): Promise<void> {
  const { maker, holder, cgroup, root, id } = container;
  const domain = domainOf(context.config, container);
  const toolstack = (): Promise<Toolstack> => context.toolstack();
  if (maker.pid !== process.pid) signal(maker, 'SIGKILL');
  killDomain(domain);
  if (holder === undefined) await endStrays(await toolstack(), [places.lib, domain.lib]);
  else if (container.legacy !== undefined) signal(holder, 'SIGKILL');
  else await waitForHolder(holder);
  if (container.legacy !== undefined) await removeLegacyDomain(context, container);
  else await endDomain(context.config, toolstack, domain, { root, id });
  if (cgroup !== undefined) await removeCgroup(cgroup);
  await beforeFiles();
  removeDomainFiles(domain);
  removeFiles(places);
}

/**
 * Removes the container's folders, the one with its state last. The caller holds places.deleting,
 * or made the container.
 */
export function removeFiles(places: Places): void {
  removeFolder(places.lib);
  removeFolder(places.run, [basename(places.state), basename(places.deleting)]);
}
