// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timelineJson, timelineTable } from '../../../src/cli/render/timeline.ts';
import { parseTimeline, phasesOf } from '../../../src/container/phases.ts';

const STAMPS = parseTimeline(
  [
    '0 create.begin',
    '100000000 disk.begin',
    '350000000 disk.end',
    '400000000 guest.kernel',
    '2000000000 monitor.exit',
  ].join('\n'),
);

test('the table', () => {
  assert.equal(
    timelineTable({ stamps: STAMPS, phases: phasesOf(STAMPS) }),
    'PHASE              AT (s) TOOK (s)\nimage disk           0.10     0.25\nwhole                         2.00\n',
  );
  assert.match(timelineTable({ stamps: [], phases: [] }), /^whole +0\.00$/m);
});

test('JSON: nanoseconds as text, and the phases', () => {
  const stamps = parseTimeline('5 disk.begin\n1000000005 disk.end\n');
  const text = timelineJson({ id: 'c', stamps, phases: phasesOf(stamps) });
  assert.equal(text.split('\n').length, 2);
  assert.deepEqual(JSON.parse(text), {
    id: 'c',
    stamps: [
      { ns: '5', phase: 'disk.begin' },
      { ns: '1000000005', phase: 'disk.end' },
    ],
    phases: [{ name: 'image disk', at: 0, seconds: 1 }],
  });
});
