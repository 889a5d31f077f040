// SPDX-License-Identifier: MIT

/** Blocks this thread for ms milliseconds. */
export function waitSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
