// SPDX-License-Identifier: MIT
// Waiting for something that nobody tells of: look, sleep, look again, each time twice as long.
// Every wait has an end. Where a process can be waited for without looking, see gate.ts.

/** How long and how often to look. In milliseconds; fractions are possible for the first sleep. */
export interface Pace {
  timeoutMs: number;
  firstMs: number;
  maxMs: number;
}

type Look<T> = () => T | false | undefined;

/** Sleeps while signals and everything else go on. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sleeps with this whole process: signals wait as well. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

// The sleeps between looks. It ends when the time is up, after one last sleep up to that instant.
function* sleeps({ timeoutMs, firstMs, maxMs }: Pace): Generator<number> {
  const deadline = performance.now() + timeoutMs;
  for (let ms = firstMs; ; ms = Math.min(2 * ms, maxMs)) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    yield Math.min(ms, left);
  }
}

/**
 * Looks until look() gives something else than false or undefined, and gives that. Gives undefined
 * when the time is up. It looks at least once, at once.
 */
export async function until<T>(
  look: () => T | false | undefined | Promise<T | false | undefined>,
  pace: Pace,
): Promise<T | undefined> {
  const first = await look();
  if (first !== false && first !== undefined) return first;
  for (const ms of sleeps(pace)) {
    await sleep(ms);
    const found = await look();
    if (found !== false && found !== undefined) return found;
  }
  return undefined;
}

/** Waits as until() does, with this whole process. */
export function untilSync<T>(look: Look<T>, pace: Pace): T | undefined {
  let found = look();
  if (found !== false && found !== undefined) return found;
  for (const ms of sleeps(pace)) {
    sleepSync(ms);
    found = look();
    if (found !== false && found !== undefined) return found;
  }
  return undefined;
}
