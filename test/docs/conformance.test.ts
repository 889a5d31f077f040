// SPDX-License-Identifier: MIT
// docs/conformance.md names tests; they are there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const REPOSITORY = join(import.meta.dirname, '../..');
const text = readFileSync(join(REPOSITORY, 'docs/conformance.md'), 'utf8');
const [, demands = '', validation = ''] = text.split(/^## /m);
const rows = (section: string): string[][] =>
  section
    .split('\n')
    .filter((line) => /^\| [\da-z]/.test(line) && !line.startsWith('| directory |'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
const references = (cells: string): [file: string, name: string][] =>
  [...cells.matchAll(/`((?:native\/)?test\/[\w./-]+)` "([^"]+)"/g)].map(([, file = '', name = '']) => [
    file,
    name,
  ]);

test('every test that is named is there', () => {
  const all = references(text);
  assert.ok(all.length > 100);
  const missing = all.filter(([file, name]) => {
    const path = join(REPOSITORY, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(name);
  });
  assert.deepEqual(missing, []);
  // Nothing that looks like one is written in another form.
  assert.equal(
    text.match(/`(native\/)?test\/[^`]*\.(ts|c)`(?! ")/g)?.join(),
    '`test/docs/conformance.test.ts`',
  );
});

test('fifty demands, each with how it is met', () => {
  const all = rows(demands);
  assert.deepEqual(
    all.map(([number]) => Number(number)),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  for (const [number, , status = '', how = '', shown = ''] of all) {
    assert.ok(['met', 'partly', 'not yet'].includes(status), `${number}: ${status}`);
    if (status !== 'not yet') assert.ok(references(shown).length > 0, `${number} is shown by nothing`);
    if (status !== 'met') assert.notEqual(how, '', `${number}: what is missing?`);
  }
});

test('every directory of the validation programs', () => {
  const all = rows(validation);
  assert.equal(new Set(all.map(([name]) => name)).size, 58);
  for (const [name, status = '', why = ''] of all) {
    assert.ok(['passed', 'partly', 'no'].includes(status), `${name}: ${status}`);
    assert.notEqual(why, '', name);
    if (status !== 'no') assert.ok(references(why).length > 0, `${name} is shown by nothing`);
  }
});
