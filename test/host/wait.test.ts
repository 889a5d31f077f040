// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, sleepSync, until, untilSync } from '../../src/host/wait.ts';

const PACE = { timeoutMs: 30, firstMs: 0.2, maxMs: 5 };

/** Gives value at the nth look. */
function nth<T>(n: number, value: T): { look: () => T | undefined; looks: () => number } {
  let looks = 0;
  return { look: () => (++looks >= n ? value : undefined), looks: () => looks };
}

test('a wait ends with what it waited for', async () => {
  for (const n of [1, 2, 5]) {
    const [a, b] = [nth(n, 'a'), nth(n, 0)];
    assert.equal(await until(a.look, PACE), 'a');
    assert.equal(untilSync(b.look, PACE), 0, 'only false and undefined mean: not yet');
    assert.deepEqual([a.looks(), b.looks()], [n, n]);
  }
  assert.equal(await until(() => Promise.resolve(true), PACE), true);
});

test('a wait ends when its time is up, and not before', async () => {
  for (const wait of [until, untilSync]) {
    const begin = performance.now();
    const { look, looks } = nth(Number.POSITIVE_INFINITY, true);
    assert.equal(await wait(look, PACE), undefined);
    const took = performance.now() - begin;
    assert.ok(took >= 30 && took < 2000, `${took} ms`);
    // Twice as long each time: at most 5 looks up to 5 ms, and then one every 5 ms.
    assert.ok(looks() <= 14, `${looks()} looks`);
  }
  assert.equal(await until(() => false, { ...PACE, timeoutMs: 0 }), undefined);
});

test('sleeping takes its time', async () => {
  const begin = performance.now();
  await sleep(5);
  sleepSync(5);
  assert.ok(performance.now() - begin >= 9);
});
