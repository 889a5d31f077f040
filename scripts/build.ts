// SPDX-License-Identifier: MIT
// Bundles the TypeScript and renders the templates into dist/.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const BUNDLE_MAX = 200_000;

interface Target {
  paths: { bindir: string; libexecdir: string };
  node: string;
  runtimeType: string;
}

const TARGET: Target = {
  paths: { bindir: '/usr/bin', libexecdir: '/usr/libexec' },
  node: '/usr/bin/node',
  runtimeType: 'io.containerd.vxn.v2',
};

/** A word for sh(1). */
const sh = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

function render(template: string, target: Target): string {
  return ejs.render(readFileSync(join(ROOT, 'templates', template), 'utf8'), { ...target, sh });
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function executable(path: string, text?: string): void {
  if (text !== undefined) writeFileSync(path, text);
  chmodSync(path, 0o755);
}

async function bundle(entry: string, outfile: string, banner: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
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
    define: { VXN_VERSION: JSON.stringify(version), VXN_COMMIT: JSON.stringify(commit()) },
    banner: { js: banner },
  });
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(join(DIST, 'libexec/vxn/shim'), { recursive: true });
mkdirSync(join(DIST, 'bin'), { recursive: true });
await bundle(
  'vxn-oci-runtime.ts',
  'dist/libexec/vxn/vxn-oci-runtime',
  render('launcher.ejs', TARGET).trimEnd(),
);
await bundle('vxn-yaml.ts', 'dist/libexec/vxn/vxn-yaml.cjs', '');
executable(join(DIST, 'libexec/vxn/vxn-oci-runtime'));
executable(join(DIST, 'bin/vctr'), render('vctr.ejs', TARGET));
executable(join(DIST, 'libexec/vxn/vxn-snapshot'), render('vxn-snapshot.ejs', TARGET));
executable(join(DIST, 'bin/containerd-shim-vxn-v2'), render('containerd-shim-vxn-v2.ejs', TARGET));
symlinkSync('../libexec/vxn/vxn-oci-runtime', join(DIST, 'bin/vxn-oci-runtime'));
symlinkSync('../vxn-oci-runtime', join(DIST, 'libexec/vxn/shim/runc'));

// For running it from here: the project's own package.json says that .js is ESM.
writeFileSync(join(DIST, 'package.json'), '{ "type": "commonjs" }\n');

const size = statSync(join(DIST, 'libexec/vxn/vxn-oci-runtime')).size;
if (size > BUNDLE_MAX) throw new Error(`vxn-oci-runtime is ${size} bytes, the limit is ${BUNDLE_MAX}`);
process.stdout.write(`dist/ built, vxn-oci-runtime has ${size} bytes\n`);
