// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { timelineJson, timelineTable } from '../../src/cli/render/timeline.ts';
import { DEFAULTS } from '../../src/config/config.ts';
import { placesOf } from '../../src/container/container.ts';
import { keep, stamp } from '../../src/container/timeline.ts';
import { timeline } from '../../src/verbs/timeline.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
const CONFIG = { ...DEFAULTS, runDir: join(folder, 'r'), timelineDir: join(folder, 'kept') };

test('a time line outlives its container when the settings say so, the oldest ones go', () => {
  const [root, id] = ['/r', 'c'];
  const places = placesOf(CONFIG, root, id);
  mkdirSync(places.run, { recursive: true });
  stamp(places, 'disk.begin', 5n);
  stamp(places, 'disk.end', 1000000005n);
  assert.match(timelineTable(timeline(CONFIG, root, id)), /image disk +0\.00 +1\.00/);
  keep(CONFIG, root, id, places);
  const gone = { ...CONFIG, runDir: join(folder, 'x') };
  assert.deepEqual(JSON.parse(timelineJson(timeline(gone, root, id))), {
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
  throwsVxn(() => timeline(CONFIG, '/r', 'nobody'), 'DOES_NOT_EXIST', 'container does not exist');
  stamp(placesOf(CONFIG, '/r', 'nobody'), 'x');
});

test('an id cannot lead out of the folders', () => {
  throwsVxn(() => timeline(CONFIG, '/r', '../../etc'), 'INVALID_ID', 'invalid container ID');
});
