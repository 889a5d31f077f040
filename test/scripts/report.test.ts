// SPDX-License-Identifier: MIT
// What `npm test` counts, and what it ends with.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../scripts/test/files.ts';
import { report } from '../../scripts/test/report.ts';
import { messageOf } from '../../scripts/test/reporter.ts';

const file = join(ROOT, 'test/a.test.ts');
const event = (type: string, data: object) => messageOf({ type, data: { file, ...data } });

test('the ten slowest tests, a line for each stage with its budget, the counts as the last line', () => {
  const timings = Array.from({ length: 12 }, (_, i) => ({ name: `t${i}`, file: 'f', seconds: i }));
  const text = report(
    [
      { name: 'unit', budget: 5, count: { passed: 20, failed: 0 }, seconds: 4 },
      { name: 'e2e', budget: 10, count: { passed: 1, failed: 2 }, seconds: 10.5 },
    ],
    timings,
    12,
  );
  assert.deepEqual(text.split('\n').filter((line) => /^ .* t\d+$/.test(line)).length, 10);
  assert.match(text, /slowest tests:\n {2}11\.0 s {2}f {2}t11\n {2}10\.0 s {2}f {2}t10\n/);
  assert.match(text, /^ {2}unit +4\.0 s +of 5 s +20 passed, 0 failed$/m);
  assert.match(text, /^ {2}e2e +10\.5 s +of 10 s +1 passed, 2 failed +OVER BUDGET$/m);
  assert.match(text, /\nall of it: 12\.0 s\n\n21 passed, 2 failed\n$/);
});

test('a test counts once, a suite never; one that is skipped or still to do has not passed', () => {
  const details = { duration_ms: 1500 };
  const of = (type: string, more: object = {}) => event(type, { name: 'n', details, ...more });
  const counted = { type: 'test', file: 'test/a.test.ts', name: 'n', seconds: 1.5 };
  assert.deepEqual(of('test:pass'), { ...counted, passed: true });
  assert.deepEqual(of('test:fail'), { ...counted, passed: false });
  for (const more of [{ skip: true }, { todo: 'later' }])
    assert.deepEqual(of('test:pass', more), { ...counted, passed: false });
  assert.equal(of('test:fail', { details: { type: 'suite' } }), undefined);
  assert.equal(of('test:start'), undefined);
});

test('a file begins and ends; its own failure counts', () => {
  assert.deepEqual(event('test:dequeue', { name: file }), { type: 'begin', file: 'test/a.test.ts' });
  assert.deepEqual(event('test:complete', { name: file }), { type: 'end', file: 'test/a.test.ts' });
  assert.equal(event('test:dequeue', { name: 'a test' }), undefined);
  assert.equal(event('test:fail', { name: file, details: {} })?.type, 'test');
});
