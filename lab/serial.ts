// SPDX-License-Identifier: MIT
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The last lines of a log, as an indented block for an error message. */
export async function tailOf(file: string, lines = 20): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const last = text.replaceAll('\r', '').trimEnd().split('\n').slice(-lines);
  return last.map((line) => `  ${line}`).join('\n');
}

/**
 * Waits until a growing file holds the pattern, and gives the match. inotify wakes it, and `signal`
 * ends it.
 */
export function waitForLog(file: string, pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const watcher = watch(file, { signal }, check);
    watcher.on('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    function check() {
      readFile(file, 'utf8').then((text) => {
        const match = pattern.exec(text);
        if (!match) return;
        watcher.close();
        resolve(match);
      }, reject);
    }
    check();
  });
}
