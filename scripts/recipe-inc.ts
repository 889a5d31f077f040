// SPDX-License-Identifier: MIT
// npm run recipe-inc: brings the recipes up to date with package-lock.json and with the imports of
// the bundles.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages } from './recipe-inc/bundled.ts';
import { esbuildInc, esbuildRecipe } from './recipe-inc/esbuild-inc.ts';
import type { Lock } from './recipe-inc/lock.ts';
import { npmInc } from './recipe-inc/npm-inc.ts';

const ROOT = join(import.meta.dirname, '..');
const ESBUILD = 'recipes-devtools/esbuild';
const RECIPES = 'recipes-containers/vcontainer';

function write(file: string, text: string): void {
  writeFileSync(join(ROOT, file), text);
  process.stdout.write(`${file}\n`);
}

/** Renames a recipe, because its version is part of its name. */
function rename(folder: string, pattern: RegExp, name: string): void {
  for (const old of readdirSync(join(ROOT, folder)).filter((f) => pattern.test(f) && f !== name)) {
    renameSync(join(ROOT, folder, old), join(ROOT, folder, name));
    process.stdout.write(`${folder}/${old} -> ${name}\n`);
  }
}

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
rename(ESBUILD, /^esbuild-native_.*\.bb$/, esbuildRecipe(lock));
write(`${ESBUILD}/esbuild-checksums.inc`, esbuildInc(lock));
write(`${RECIPES}/vxn-npm.inc`, npmInc(ROOT, lock, bundledPackages(ROOT)));
