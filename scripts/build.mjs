// SPDX-License-Identifier: MIT
// Bundles the TypeScript and renders the templates into a folder whose layout is that below /usr. `npm run build` and the
// Yocto recipe both come here, so it is plain JavaScript: a build host has node and the esbuild executable, not tsx.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RUNTIME = 'libexec/vxn/vxn-oci-runtime';

/** Entry points in src/cli, and what each becomes below /usr. */
export const BUNDLES = [
  { entry: 'vxn-oci-runtime.ts', file: RUNTIME, mode: 0o755, head: '', maximum: 200_000 },
  { entry: 'vxn-yaml.ts', file: 'libexec/vxn/vxn-yaml.cjs', mode: 0o644, head: '' },
  { entry: 'vxn-doctor.ts', file: 'libexec/vxn/vxn-doctor.cjs', mode: 0o644, head: '' },
  {
    entry: 'vxn-config.ts',
    file: 'bin/vxn-config',
    mode: 0o755,
    head: '#!/usr/bin/env node\n// SPDX-License-Identifier: MIT\n',
  },
];

const OPTIONS = {
  out: { type: 'string', default: 'dist' },
  // npm's own esbuild may be a script that starts the executable; either does.
  esbuild: { type: 'string', default: join(ROOT, 'node_modules/.bin/esbuild') },
  commit: { type: 'string', default: 'git' },
  // Whose programs are laid into the folder; vxn-config makes the files of any other target.
  target: { type: 'string', default: 'generic-x86-64' },
};

/** Every file below a folder of the project, sorted. */
function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/** Names the sources by their content, for where there is no git, or a git that is another project's. */
function sourceDigest() {
  const hash = createHash('sha256');
  for (const file of ['package.json', ...filesBelow('src'), ...filesBelow('templates')]) {
    hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  return `source-${hash.digest('hex').slice(0, 12)}`;
}

function gitCommit() {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return sourceDigest();
  }
}

/** What `--version` names as the commit: git's, the sources' digest, or the given text. */
function commitText(wanted) {
  if (wanted === 'git') return gitCommit();
  return wanted === 'source' ? sourceDigest() : wanted;
}

/**
 * The arguments for esbuild, which prints the bundle. It is started in the project's folder with relative names, because it
 * writes the names of its inputs into comments.
 */
export function esbuildArguments(entry, { version, commit }) {
  return [
    `src/cli/${entry}`,
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--format=cjs',
    '--charset=utf8',
    '--legal-comments=inline',
    // Half as much to read at every start; names stay, for whoever looks at a stack.
    '--minify-whitespace',
    '--minify-syntax',
    '--log-level=warning',
    `--define:VXN_VERSION=${JSON.stringify(version)}`,
    `--define:VXN_COMMIT=${JSON.stringify(commit)}`,
  ];
}

/** A program's output. What it complains about goes to stderr. Throws when it fails. */
function run(program, args) {
  try {
    return execFileSync(program, args, {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (error) {
    throw new Error(`${basename(program)} ${args[0]}: ${error.status === null ? error.message : 'failed'}`);
  }
}

function write(path, text, mode) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

/** Lays a target's programs and links that lie under /usr into out; its configuration is not part of that. */
function installPrograms(out, target) {
  const tree = join(out, '.target');
  const vxnConfig = [join(out, 'bin/vxn-config'), 'generate', '--target', target, '--out', tree];
  const answer = run(process.execPath, [...vxnConfig, '--runtime', join(out, RUNTIME), '--json']);
  for (const { path, mode, link } of JSON.parse(answer).files) {
    if (!path.startsWith('/usr/') || (link === undefined && mode !== '0755')) continue;
    const installed = join(out, path.slice('/usr'.length));
    mkdirSync(dirname(installed), { recursive: true });
    renameSync(join(tree, path), installed);
  }
  rmSync(tree, { recursive: true });
}

/** Builds everything into options.out, which is emptied first. Gives back the runtime's size in bytes. */
export function build(options) {
  const out = resolve(options.out);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const names = { version, commit: commitText(options.commit) };
  rmSync(out, { recursive: true, force: true });
  // For running it from here: the project's own package.json says that .js is ESM.
  write(join(out, 'package.json'), '{ "type": "commonjs" }\n', 0o644);
  cpSync(join(ROOT, 'templates'), join(out, 'share/vxn/templates'), { recursive: true });
  for (const { entry, file, mode, head, maximum = Number.POSITIVE_INFINITY } of BUNDLES) {
    const text = `${head}${run(options.esbuild, esbuildArguments(entry, names))}`;
    const size = Buffer.byteLength(text);
    if (size > maximum) throw new Error(`${file} is ${size} bytes, the limit is ${maximum}`);
    write(join(out, file), text, mode);
  }
  const schema = run(process.execPath, [join(out, 'bin/vxn-config'), 'schema']);
  write(join(out, 'share/vxn/schema/target.schema.json'), schema, 0o644);
  installPrograms(out, options.target);
  return readFileSync(join(out, RUNTIME)).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    process.stdout.write(`${values.out}/ built, vxn-oci-runtime has ${build(values)} bytes\n`);
  } catch (error) {
    process.stderr.write(`build: ${error.message}\n`);
    process.exitCode = 1;
  }
}
