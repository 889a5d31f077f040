// SPDX-License-Identifier: MIT
// Bundles the TypeScript and renders the templates into dist/.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Context, planInput } from '../src/vxn-config/commands/context.ts';
import { launcher, type Planned, planTarget } from '../src/vxn-config/plan.ts';
import { writePlanned } from '../src/vxn-config/tree.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const BUNDLE_MAX = 200_000;

/** What dist/ is made for; vxn-config makes the files of any other target. */
const TARGET = 'generic-x86-64';

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};

async function bundle(entry: string, outfile: string, banner: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [`src/cli/${entry}`],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    charset: 'utf8',
    legalComments: 'inline',
    define: { VXN_VERSION: JSON.stringify(VERSION), VXN_COMMIT: JSON.stringify(commit()) },
    banner: { js: banner },
  });
}

/** The programs and links of the target: what lies under its /usr is laid into dist/. */
function install(planned: readonly Planned[]): void {
  for (const file of planned) {
    const isProgram = 'link' in file || file.mode === 0o755;
    if (isProgram && file.path.startsWith('/usr/')) {
      writePlanned(DIST, { ...file, path: file.path.slice('/usr'.length) });
    }
  }
}

const context: Context = { templates: join(ROOT, 'templates'), version: VERSION, print: () => {} };
const input = planInput(context, { target: TARGET, set: [] });

rmSync(DIST, { recursive: true, force: true });
await bundle('vxn-oci-runtime.ts', 'dist/libexec/vxn/vxn-oci-runtime', launcher(input));
await bundle('vxn-yaml.ts', 'dist/libexec/vxn/vxn-yaml.cjs', '');
await bundle('vxn-config.ts', 'dist/bin/vxn-config', '#!/usr/bin/env node\n// SPDX-License-Identifier: MIT');
chmodSync(join(DIST, 'libexec/vxn/vxn-oci-runtime'), 0o755);
chmodSync(join(DIST, 'bin/vxn-config'), 0o755);
cpSync(join(ROOT, 'templates'), join(DIST, 'share/vxn/templates'), { recursive: true });
install(planTarget(input));

// For running it from here: the project's own package.json says that .js is ESM.
writeFileSync(join(DIST, 'package.json'), '{ "type": "commonjs" }\n');

const size = statSync(join(DIST, 'libexec/vxn/vxn-oci-runtime')).size;
if (size > BUNDLE_MAX) throw new Error(`vxn-oci-runtime is ${size} bytes, the limit is ${BUNDLE_MAX}`);
process.stdout.write(`dist/ built, vxn-oci-runtime has ${size} bytes\n`);
