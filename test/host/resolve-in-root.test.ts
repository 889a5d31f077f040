// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inRoot, lookInRoot, within } from '../../src/host/resolve-in-root.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const root = join(temporaryFolder(), 'root');
mkdirSync(join(root, 'usr/bin'), { recursive: true });
writeFileSync(join(root, 'usr/bin/tool'), 'x');
symlinkSync('usr/bin', join(root, 'bin'));
symlinkSync('/usr/bin/tool', join(root, 'absolute'));
symlinkSync('../../../../../../usr/bin/tool', join(root, 'upwards'));
symlinkSync('loop', join(root, 'loop'));
symlinkSync('/etc/hostname', join(root, 'outside'));
symlinkSync('/mnt/thing', join(root, 'mounted'));

const FOUND = ['/usr/bin/tool', '/bin/tool', '/bin/../bin/./tool', '/absolute', '/upwards', '//bin//tool'];
for (const path of FOUND) {
  test(`${path} is there`, () => {
    const st = lookInRoot(root, path, ['/mnt']);
    assert.ok(typeof st === 'object' && st.isFile() && st.size === 1);
  });
}

const NOT = ['/no', '/usr/no/tool', '/loop', '/outside', '/usr/bin/tool/x', `/${'n'.repeat(300)}`];
for (const path of NOT) {
  test(`${path.slice(0, 40)} is not`, () => assert.equal(lookInRoot(root, path, ['/mnt']), undefined));
}

for (const path of ['/mnt', '/mnt/a/b', '/mounted', '/made//for/mount/x']) {
  test(`${path} may come with a mount`, () =>
    assert.equal(lookInRoot(root, path, ['/mnt/', '/made/for/mount']), 'unknown'));
}

test('a folder holds itself and what is below it, not its neighbour', () => {
  assert.ok(within('/a', '/a') && within('/a/b', '/a/') && within('/x', '/'));
  assert.ok(!within('/ab', '/a'));
});

test('the place in a root: links inside it, the last one only when asked', () => {
  const at = (path: string, followLast?: boolean): string =>
    inRoot(root, path, followLast).slice(root.length);
  assert.equal(at('/bin/tool'), '/usr/bin/tool');
  assert.equal(at('/absolute'), '/absolute');
  assert.equal(at('/absolute', true), '/usr/bin/tool');
  assert.equal(at('/upwards', true), '/usr/bin/tool');
  assert.equal(at('/outside', true), '/etc/hostname');
  assert.equal(at('/no/such/../file'), '/no/file');
  assert.equal(at('/../../..//./x'), '/x');
  assert.equal(inRoot(root, '/', true), root);
  assert.equal(at('/loop'), '/loop');
  throwsVxn(() => at('/loop', true), 'HOST', /^\/loop: too many links$/);
  throwsVxn(() => at('/loop/below'), 'HOST', /too many links/);
});

test('a root that is a link itself is not walked as one', () => {
  const link = join(temporaryFolder(), 'link');
  symlinkSync(root, link);
  assert.equal(inRoot(link, '/../bin/tool'), join(link, 'usr/bin/tool'));
  const st = lookInRoot(link, '/../bin/tool', []);
  assert.ok(typeof st === 'object' && st.isFile());
});

test('forty links are followed, not one more', () => {
  const chain = join(temporaryFolder(), 'chain');
  mkdirSync(chain);
  writeFileSync(join(chain, 'l0'), 'x');
  for (let i = 1; i <= 41; i++) symlinkSync(`l${i - 1}`, join(chain, `l${i}`));
  assert.equal(inRoot(chain, '/l40', true), join(chain, 'l0'));
  assert.ok(typeof lookInRoot(chain, '/l40', []) === 'object');
  throwsVxn(() => inRoot(chain, '/l41', true), 'HOST', /too many links/);
  assert.equal(lookInRoot(chain, '/l41', []), undefined);
});

test('an image with chained long links costs little time', () => {
  const enemy = join(temporaryFolder(), 'enemy');
  mkdirSync(join(enemy, 'd'), { recursive: true });
  // Each link goes through the one before it many times: 16 of them are 10^40 parts and more.
  writeFileSync(join(enemy, 'l0'), 'x');
  for (let i = 1; i <= 16; i++) {
    symlinkSync(`${'d/../'.repeat(700)}l${i - 1}`, join(enemy, `l${i}`));
    const many = i === 1 ? 'd/..' : `m${i - 1}`;
    symlinkSync(`${`${many}/`.repeat(500)}d/..`, join(enemy, `m${i}`));
  }
  const mounted = Array.from({ length: 100 }, (_, i) => `/d/mounted/${i}`);
  const begin = performance.now();
  for (const path of ['/l16', '/m16', `/${'d/../'.repeat(100_000)}`]) {
    assert.equal(lookInRoot(enemy, path, mounted), undefined);
    throwsVxn(() => inRoot(enemy, path, true), 'HOST', /too many links/);
  }
  assert.ok(typeof lookInRoot(enemy, '/l2', mounted) === 'object');
  assert.equal(inRoot(enemy, '/l2', true), join(enemy, 'l0'));
  assert.ok(performance.now() - begin < 5000);
});
