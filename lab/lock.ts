// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { statePath } from './paths.ts';

/**
 * Runs `work` while this process alone holds the named lock. flock(1) holds the lock until its
 * stdin ends, so the kernel frees it no matter how this process ends.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const file = statePath('locks', name);
  await mkdir(path.dirname(file), { recursive: true });
  const holder = spawn('flock', ['-x', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // a terminal's SIGINT must not free the lock before we have cleaned up
  });
  const ended = new Promise<never>((_, reject) => {
    holder.once('error', reject);
    holder.once('exit', (code) => reject(new Error(`flock ended with ${code} while waiting for ${file}`)));
  });
  ended.catch(() => {});
  await Promise.race([once(holder.stdout, 'data'), ended]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await once(holder, 'exit');
  }
}
