// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import { placesOf } from '../../src/container/container.ts';
import {
  keep,
  parseTimeline,
  phasesOf,
  renderPhases,
  stamp,
  timeline,
} from '../../src/container/timeline.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
const CONFIG = { ...DEFAULTS, runDir: join(folder, 'r'), timelineDir: join(folder, 'kept') };

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

test('the table', () => {
  assert.equal(
    renderPhases(STAMPS),
    'PHASE              AT (s) TOOK (s)\nimage disk           0.10     0.25\nwhole                         2.00\n',
  );
  assert.match(renderPhases([]), /^whole +0\.00$/m);
});

test('a time line outlives its container when the settings say so, the oldest ones go', () => {
  const [root, id] = ['/r', 'c'];
  const places = placesOf(CONFIG, root, id);
  mkdirSync(places.run, { recursive: true });
  stamp(places, 'disk.begin', 5n);
  stamp(places, 'disk.end', 1000000005n);
  assert.match(timeline(CONFIG, root, id, false), /image disk +0\.00 +1\.00/);
  keep(CONFIG, root, id, places);
  const gone = { ...CONFIG, runDir: join(folder, 'x') };
  assert.deepEqual(JSON.parse(timeline(gone, root, id, true)), {
    id,
    stamps: [
      { ns: '5', phase: 'disk.begin' },
      { ns: '1000000005', phase: 'disk.end' },
    ],
    phases: [{ name: 'image disk', at: 0, seconds: 1 }],
  });
  for (let i = 0; i < 80; i++) keep(CONFIG, root, `n${i}`, places);
  assert.equal(readdirSync(CONFIG.timelineDir).length, 64);
});

test('an unknown container, and a folder that is not there', () => {
  throwsVxn(() => timeline(CONFIG, '/r', 'nobody', false), 'DOES_NOT_EXIST', 'container does not exist');
  stamp(placesOf(CONFIG, '/r', 'nobody'), 'x');
});

test('an id cannot lead out of the folders', () => {
  throwsVxn(() => timeline(CONFIG, '/r', '../../etc', false), 'INVALID_ID', 'invalid container ID');
});
