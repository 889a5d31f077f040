// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bundledPackages } from '../../scripts/recipe-inc/bundled.ts';
import { esbuildInc, esbuildRecipe } from '../../scripts/recipe-inc/esbuild-inc.ts';
import { type Lock, packageName, sha512 } from '../../scripts/recipe-inc/lock.ts';
import { licenseExpression, npmInc } from '../../scripts/recipe-inc/npm-inc.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as Lock;
const STALE = 'out of date: npm run recipe-inc';

describe('npm packages of the recipes', () => {
  it('are those that the bundles hold, as package-lock.json has them', () => {
    const file = 'recipes-containers/vcontainer/vxn-npm.inc';
    assert.equal(read(file), npmInc(ROOT, lock, bundledPackages(ROOT)), `${file} is ${STALE}`);
  });

  it("include esbuild's executables, of the version in the recipe's name", () => {
    const folder = 'recipes-devtools/esbuild';
    assert.equal(read(`${folder}/esbuild-checksums.inc`), esbuildInc(lock), `${folder} is ${STALE}`);
    assert.ok(existsSync(join(ROOT, folder, esbuildRecipe(lock))), `no ${esbuildRecipe(lock)}: ${STALE}`);
  });

  it('change with the lock file', () => {
    const folders = bundledPackages(ROOT);
    const [folder = ''] = folders;
    const entry = lock.packages[folder];
    assert.ok(entry);
    const newer: Lock = { packages: { ...lock.packages, [folder]: { ...entry, version: '99.0.0' } } };
    assert.notEqual(npmInc(ROOT, newer, folders), npmInc(ROOT, lock, folders));
  });

  it('need a checksum and a licence', () => {
    const without = (field: 'integrity' | 'license'): Lock => {
      const entry = { version: '1.0.0', integrity: 'sha512-AAAA', license: 'MIT', [field]: undefined };
      return { packages: { 'node_modules/yaml': entry as never } };
    };
    assert.throws(() => npmInc(ROOT, without('integrity'), ['node_modules/yaml']), /no checksum/);
    assert.throws(() => npmInc(ROOT, without('license'), ['node_modules/yaml']), /no licence/);
    const sha1: Lock = { packages: { a: { version: '1.0.0', integrity: 'sha1-AAAA' } } };
    assert.throws(() => sha512(sha1, 'a'), /no SHA-512/);
  });

  it('are named and licensed in the terms of a recipe', () => {
    assert.equal(packageName('node_modules/a/node_modules/@b/c'), '@b/c');
    assert.equal(licenseExpression('MIT AND (ISC OR Apache-2.0)'), 'MIT & (ISC | Apache-2.0)');
  });

  it('name no registry: its address is that of oe-core', () => {
    for (const file of [
      'recipes-containers/vcontainer/vxn-npm.inc',
      'recipes-devtools/esbuild/npmjs-mirror.inc',
    ]) {
      assert.doesNotMatch(read(file), /:\/\/(?!\$)[a-z]+\.[a-z]/, file);
    }
  });
});
