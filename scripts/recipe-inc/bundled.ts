// SPDX-License-Identifier: MIT
// Finds the npm packages that end up in the bundles. esbuild tells them, so the recipe fetches no
// other.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLES, esbuildArguments } from '../build.mjs';

/** The folder of the package that a file belongs to. undefined for a file of the project itself. */
function packageFolder(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** Folders of the packages that are part of any bundle, sorted. */
export function bundledPackages(root: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'vxn-recipe-inc-'));
  try {
    const metafile = join(folder, 'meta.json');
    const found = BUNDLES.flatMap(({ entry }) => {
      const args = esbuildArguments(entry, { version: '0', commit: '0' });
      const files = [`--metafile=${metafile}`, `--outfile=${join(folder, 'bundle')}`];
      execFileSync(join(root, 'node_modules/.bin/esbuild'), [...args, ...files], {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { inputs: Record<string, unknown> };
      return Object.keys(inputs).map(packageFolder);
    });
    return [...new Set(found.filter((f) => f !== undefined))].sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
