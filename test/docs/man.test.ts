// SPDX-License-Identifier: MIT
// The manual pages say what the built programs' own help says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = readdirSync(join(ROOT, 'man'));
const read = (page: string): string => readFileSync(join(ROOT, 'man', page), 'utf8');

function help(program: string, ...args: string[]): string {
  const argv = [join(ROOT, 'dist', program), ...args, '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** The commands that a help lists, two blanks before each. */
const commands = (text: string): string[] =>
  [...text.slice(text.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)(?: \S+)* {2,}\S/gm)].map(
    (m) => m[1] ?? '',
  );

/** What a page lists: each command with the long options that it names. */
function listed(page: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, item = ''] of read(page).matchAll(/^\.It (Cm .*)$/gm)) {
    const options = [...item.matchAll(/Fl -([a-z-]+)/g)].map((m) => m[1] ?? '');
    const names = [...item.matchAll(/(?:^Cm|, Cm|,) ([a-z]+)\b/g)].map((m) => m[1] ?? '');
    for (const name of names) found.set(name, options);
  }
  return found;
}

describe('manual pages', () => {
  for (const page of PAGES) {
    it(`${page}: groff has nothing to say to it`, () => {
      const { status, stderr } = spawnSync('groff', ['-mandoc', '-ww', '-z', join(ROOT, 'man', page)], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, '']);
    });
  }

  for (const [page, program] of [
    ['vxn-oci-runtime.8', 'libexec/vxn/vxn-oci-runtime'],
    ['vxn-config.8', 'bin/vxn-config'],
  ] as const) {
    it(`${page}: every command, with options that it has`, () => {
      const pages = listed(page);
      const expected = commands(help(program)).filter((name) => name !== 'help');
      assert.ok(expected.length > 8);
      assert.deepEqual([...pages.keys()].sort(), expected.sort());
      for (const [name, options] of pages) {
        if (options.length === 0) continue;
        const own = help(program, name);
        for (const option of options) assert.ok(own.includes(`--${option}`), `${name} --${option}`);
      }
    });
  }
});
