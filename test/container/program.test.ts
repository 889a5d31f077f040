// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkProgram } from '../../src/container/program.ts';
import { processJson, specOf } from '../fixtures/spec.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const root = temporaryFolder();
mkdirSync(join(root, 'bin'));
writeFileSync(join(root, 'bin/tool'), '', { mode: 0o755 });

function check(name: string, path: readonly string[], rootfs = root): void {
  const spec = specOf({ process: processJson({ args: [name], env: [`PATH=${path.join(':')}`] }) });
  assert.ok(spec.process);
  checkProgram(spec, spec.process, rootfs);
}
const MISSING = 'exec: "nosuch": executable file not found in $PATH';
const folders = (count: number): string[] => Array.from({ length: count }, (_, i) => `/opt/${i}`);

test('a PATH of 64 folders is looked at to its end', () => {
  throwsVxn(() => check('nosuch', folders(64)), 'GUEST', MISSING);
  check('tool', [...folders(63), '/bin']);
});

test('a longer PATH is left to the guest', () => {
  check('nosuch', folders(65));
  check('nosuch', folders(30_000));
  check('tool', ['/bin', ...folders(30_000)]);
});

test('the first program in PATH is enough', () => {
  check('tool', ['/bin', '/no/such']);
  check('tool', ['/no/such', '/bin']);
});

test('an image whose folders are long chains of links costs Dom0 a few seconds at most', () => {
  const enemy = temporaryFolder();
  const deep = 'a/'.repeat(1000);
  mkdirSync(join(enemy, deep, 'x'), { recursive: true });
  symlinkSync(`${deep}l1`, join(enemy, 'l0'));
  for (const i of [1, 2, 3]) symlinkSync(`${'x/../'.repeat(490)}l${i + 1}`, join(enemy, deep, `l${i}`));
  mkdirSync(join(enemy, deep, 'l4'));
  const begun = performance.now();
  check(
    'nosuch',
    Array.from({ length: 64 }, () => '/l0'),
    enemy,
  );
  assert.ok(performance.now() - begun < 15_000);
});
