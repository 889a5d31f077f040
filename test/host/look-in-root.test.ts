// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookInRoot, within } from '../../src/host/look-in-root.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

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
