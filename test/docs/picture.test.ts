// SPDX-License-Identifier: MIT
// The picture of README.md is what its script draws.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OVERVIEW, overview } from '../../scripts/picture.ts';

test('docs/img/overview.svg is up to date', () => {
  const drawn = readFileSync(join(import.meta.dirname, '../..', OVERVIEW), 'utf8');
  assert.equal(drawn, overview(), 'run: node --import tsx scripts/picture.ts');
});
