// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimeline, phasesOf } from '../../src/container/phases.ts';

test('stamps are sorted, other lines left out', () => {
  const text = '2000 disk.end\nnonsense\n1000 disk.begin\n-5 x\n3000 UPPER\n\n99';
  assert.deepEqual(parseTimeline(text), [
    { ns: 1000n, phase: 'disk.begin' },
    { ns: 2000n, phase: 'disk.end' },
  ]);
});

const STAMPS = parseTimeline(
  [
    '0 create.begin',
    '100000000 disk.begin',
    '350000000 disk.end',
    '400000000 guest.kernel',
    '2000000000 monitor.exit',
  ].join('\n'),
);

test('phases that have both ends', () => {
  assert.deepEqual(phasesOf(STAMPS), [{ name: 'image disk', at: 0.1, seconds: 0.25 }]);
  assert.deepEqual(phasesOf([]), []);
});
