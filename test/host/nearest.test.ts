// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/host/nearest.ts';

test('nearest finds slips of the finger, and no more', () => {
  assert.equal(nearest('strat', ['start', 'state']), 'start');
  assert.equal(nearest('stat', ['start', 'state', 'kill']), 'start');
  assert.equal(nearest('frobnicate', ['start', 'state']), undefined);
  assert.equal(nearest('x', []), undefined);
});
