// SPDX-License-Identifier: MIT
// What `npm run demo|test|lab|bench` calls: plain node, so that it works before anything is installed. Checks node,
// installs the packages that package-lock.json names if they are not there, then runs the script itself.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// import.meta.dirname, which the scripts use, came with 20.11.
const OLDEST = [20, 11];

const SCRIPTS = {
  demo: 'scripts/demo.ts',
  test: 'scripts/test.ts',
  bench: 'scripts/bench.ts',
  bitbake: 'scripts/bitbake.ts',
  lab: 'lab/main.ts',
};

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  stop(`node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node} (${process.execPath})`);
}

// npm writes node_modules/.package-lock.json at the end of an installation.
function isInstalled() {
  const installed = path.join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(path.join(ROOT, 'package-lock.json')).mtimeMs;
}

function install() {
  if (isInstalled()) return;
  process.stderr.write('npm ci\n');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (error !== undefined) stop(`npm ci: ${error.message}`);
  if (status !== 0) stop('npm ci failed: see above');
}

function run(script, args) {
  const env = { ...process.env };
  // npm needs it to reach its registry. Here it would cost 45 ms at every start of node.
  delete env.NODE_EXTRA_CA_CERTS;
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  // A terminal sends its signals to the whole group; the child then answers for both.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' && signal !== 'SIGQUIT') child.kill(signal);
    });
  }
  child.on('error', (error) => stop(`${script}: ${error.message}`));
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const [name = '', ...args] = process.argv.slice(2);
const script = Object.hasOwn(SCRIPTS, name) ? SCRIPTS[name] : undefined;
if (script === undefined)
  stop(`usage: node scripts/bootstrap.mjs ${Object.keys(SCRIPTS).join('|')} [ARGUMENTS]`);
checkNode();
install();
run(script, args);
