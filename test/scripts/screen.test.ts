// SPDX-License-Identifier: MIT
// What `npm test` prints while it runs: whole lines, and a status line only on a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../scripts/test/progress.ts';
import { lines, Screen } from '../../scripts/test/screen.ts';

function output(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text: string) => written.push(text) };
}

test('on a terminal the status line stays below what is printed, and goes away', () => {
  const terminal = output(true, 8);
  const screen = new Screen(terminal);
  screen.status('one of two');
  screen.print('a line\n');
  screen.status('');
  assert.equal(terminal.written.join(''), 'one of \r\x1b[Ka line\none of \r\x1b[K');
});

test('without a terminal there is no status line, and a line gets its end', () => {
  const file = output(false);
  const screen = new Screen(file);
  screen.status('one of two');
  screen.print('a line');
  screen.print('');
  assert.equal(file.written.join(''), 'a line\n');
});

test('chunks become whole lines, each behind its prefix', () => {
  let seen = '';
  const { add, end } = lines('p | ', (text) => {
    seen += text;
  });
  for (const chunk of ['a', 'b\nc\n', '', 'd']) add(chunk);
  assert.equal(seen, 'p | ab\np | c\n');
  end();
  end();
  assert.equal(seen, 'p | ab\np | c\np | d\n');
});

test('stages at work side by side, and for how long', () => {
  const terminal = output(true, 200);
  let now = 0;
  const progress = new Progress(new Screen(terminal), () => now);
  progress.at('unit');
  now = 7000;
  progress.at('e2e', '2 of 9 files, now run');
  assert.equal(terminal.written.at(-1), 'unit (7 s) | e2e: 2 of 9 files, now run');
  progress.ended('unit');
  assert.equal(terminal.written.at(-1), 'e2e: 2 of 9 files, now run');
  progress.close();
  assert.equal(terminal.written.at(-1), '\r\x1b[K');
});
