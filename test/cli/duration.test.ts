// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../src/cli/duration.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const DURATIONS: [text: string, ms: number][] = [
  ['5s', 5000],
  ['500ms', 500],
  ['1m30s', 90_000],
  ['1.5s', 1500],
  ['1h', 3_600_000],
  ['2000us', 2],
  ['1ns', 1],
];
for (const [text, ms] of DURATIONS) test(`duration ${text}`, () => assert.equal(parseDuration(text), ms));
for (const text of ['', '5', '0s', '-1s', 's', '5 s', '1s ', '5x', '1e3s', '99999h']) {
  test(`no duration: "${text}"`, () =>
    throwsVxn(
      () => parseDuration(text),
      'USAGE',
      `the interval must be a duration above 0, not "${text}" (such as 5s`,
    ));
}
