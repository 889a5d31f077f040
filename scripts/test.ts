// SPDX-License-Identifier: MIT
// npm test [unit|native|e2e]: every check there is, counted. The last line is "N passed, N failed".
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST_PACKAGES } from '../lab/packages.ts';
import { ensureHostPackages, ensureSanitizers, NATIVE_PACKAGES, UNIT_PACKAGES } from './host-packages.ts';

const ROOT = join(import.meta.dirname, '..');
const FUZZ_SECONDS = 60;

interface Count {
  passed: number;
  failed: number;
}

interface Stage {
  name: string;
  run(): Promise<Count>;
}

interface Run {
  status: number | null;
  output: string;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const PASS: Count = { passed: 1, failed: 0 };
const FAIL: Count = { passed: 0, failed: 1 };
const sum = (counts: readonly Count[]): Count => ({
  passed: counts.reduce((n, c) => n + c.passed, 0),
  failed: counts.reduce((n, c) => n + c.failed, 0),
});

/** Whole lines of what comes, each behind a prefix. The last one may want its end. */
function prefixed(prefix: string, show: (text: string) => void): (chunk: string) => void {
  let begun = '';
  return (chunk) => {
    const lines = (begun + chunk).split('\n');
    begun = lines.pop() ?? '';
    show(lines.map((line) => `${prefix}${line}\n`).join(''));
  };
}

/**
 * Runs a command without stdin. What it prints is given back, and shown as it comes unless quiet; with a prefix when others
 * print meanwhile.
 */
function run(command: string, args: readonly string[], quiet = false, prefix = ''): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const pipe of [child.stdout, child.stderr]) {
      const print = (text: string): void => void process.stdout.write(text);
      const show = prefix === '' ? print : prefixed(prefix, print);
      pipe.setEncoding('utf8');
      pipe.on('data', (chunk: string) => {
        output += chunk;
        if (!quiet) show(chunk);
      });
    }
    child.on('error', (error) => resolve({ status: null, output: `${command}: ${error.message}\n` }));
    child.on('close', (status) => resolve({ status, output }));
  });
}

/** One check: its name and how it went; its output only when it failed. */
async function check(name: string, command: string, args: readonly string[]): Promise<Count> {
  const { status, output } = await run(command, args, true);
  say(`${status === 0 ? 'ok' : 'FAILED'}  ${name}`);
  if (status !== 0) process.stdout.write(output);
  return status === 0 ? PASS : FAIL;
}

// Of templates/, what dist/ holds of them is looked at.
const NOT_OURS = new Set(['node_modules', '.git', '.lab', 'build', 'templates']);

/** Every shell script of the project and of dist/, by its first line; vxn-oci-runtime only begins as one. */
function shellScripts(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : shellScripts(path);
    if (!entry.isFile() || entry.name === 'vxn-oci-runtime' || statSync(join(ROOT, path)).size > 1e6)
      return [];
    const first = readFileSync(join(ROOT, path), 'latin1').split('\n', 1)[0] ?? '';
    return /^#!.*\b(ba|da)?sh\b/.test(first) ? [path] : [];
  });
}

async function lint(): Promise<Count> {
  const scripts = shellScripts();
  const bash = scripts.filter((s) => /^#!.*bash/.test(readFileSync(join(ROOT, s), 'latin1')));
  const plain = scripts.filter((s) => !bash.includes(s));
  const syntax = (shell: string, files: string[]): Promise<Count>[] =>
    files.map((f) => check(`${shell} -n ${f}`, shell, ['-n', f]));
  return sum([
    await check('biome check', 'node_modules/.bin/biome', ['check', '.']),
    await check('tsc', 'node_modules/.bin/tsc', ['-p', 'tsconfig.json']),
    await check(`shellcheck (${scripts.length} scripts)`, 'shellcheck', scripts),
    ...(await Promise.all([...syntax('sh', plain), ...syntax('bash', bash)])),
  ]);
}

const build = (): Promise<Count> => check('dist/', process.execPath, ['scripts/build.mjs']);

function testFiles(folder: string, without: string[]): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return without.includes(path) ? [] : testFiles(path, without);
      return entry.name.endsWith('.test.ts') ? [path] : [];
    })
    .sort();
}

/** The totals at the end of a TAP report. A test that was skipped or is still to be written has not passed. */
function countTap(tap: string): Count {
  const total = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  return {
    passed: total('pass'),
    failed: ['fail', 'cancelled', 'skipped', 'todo'].reduce((n, k) => n + total(k), 0),
  };
}

async function nodeTests(files: string[], concurrency: number, prefix = ''): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'vxn-test-'));
  try {
    const tap = join(folder, 'tap');
    const args = [
      '--import',
      'tsx',
      '--test',
      `--test-concurrency=${concurrency}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
      ...files,
    ];
    const { status } = await run(process.execPath, args, false, prefix);
    const count = countTap(readFileSync(tap, 'utf8'));
    return status !== 0 && count.failed === 0 ? sum([count, FAIL]) : count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function native(): Promise<Count> {
  const { status, output } = await run('make', ['-C', 'native', 'test']);
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].map((m) => ({
    passed: Number(m[1]),
    failed: Number(m[2]),
  }));
  const count = sum(counts);
  return status !== 0 && count.failed === 0 ? sum([count, FAIL]) : count;
}

async function fuzz(): Promise<Count> {
  ensureSanitizers();
  const found = mkdtempSync(join(tmpdir(), 'vxn-fuzz-'));
  try {
    return await check(`the monitor reads from a hostile guest, ${FUZZ_SECONDS} s`, 'make', [
      '-C',
      'native/fuzz',
      'run',
      `TIME=${FUZZ_SECONDS}`,
      `FOUND=${found}`,
    ]);
  } finally {
    rmSync(found, { recursive: true, force: true });
  }
}

/** The lab boots while the other stages run. Its tests wait for it by themselves; this only saves time. */
function bootLab(): Promise<Run> {
  return run(process.execPath, ['--import', 'tsx', 'lab/main.ts', 'up'], true);
}

async function e2e(boot: Promise<Run>): Promise<Count> {
  const { status, output } = await boot;
  process.stdout.write(output);
  const up = status === 0 ? [] : [FAIL];
  return sum([...up, await nodeTests(testFiles('test/e2e', []), 1, 'e2e | ')]);
}

async function runStage({ name, run: body }: Stage): Promise<Count> {
  say(`\n=== ${name}`);
  const begin = performance.now();
  let count: Count;
  try {
    count = await body();
    if (count.passed + count.failed === 0) {
      say('no tests ran: that counts as a failure');
      count = FAIL;
    }
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    count = FAIL;
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  say(`--- ${name}: ${count.passed} passed, ${count.failed} failed, ${seconds} s`);
  return count;
}

/** One after the other. */
async function runStages(stages: readonly Stage[]): Promise<Count> {
  const counts: Count[] = [];
  for (const stage of stages) counts.push(await runStage(stage));
  return sum(counts);
}

async function main(what: string): Promise<Count> {
  const all = what === 'all';
  const packages = [
    ...(all || what === 'unit' ? UNIT_PACKAGES : []),
    ...(all || what === 'native' ? NATIVE_PACKAGES : []),
    ...(all || what === 'e2e' ? HOST_PACKAGES : []),
  ];
  ensureHostPackages(packages);
  const unitTests: Stage[] = [{ name: 'unit', run: () => nodeTests(testFiles('test', ['test/e2e']), 2) }];
  const nativeTests: Stage[] = [
    { name: 'native', run: native },
    { name: 'fuzz', run: fuzz },
  ];
  const boot = all || what === 'e2e' ? bootLab() : undefined;
  // The lab is mostly waiting for one guest at a time: the other tests fit in beside it.
  const lab: Stage[] = boot === undefined ? [] : [{ name: 'e2e', run: () => e2e(boot) }];
  const here: Stage[] = [
    // Lint looks at what build renders, too.
    { name: 'build', run: build },
    ...(all || what === 'unit' ? [{ name: 'lint', run: lint }, ...unitTests] : []),
    ...(all || what === 'native' ? nativeTests : []),
  ];
  return sum(await Promise.all([runStages(here), runStages(lab)]));
}

const what = process.argv[2] ?? 'all';
if (!['all', 'unit', 'native', 'e2e'].includes(what) || process.argv.length > 3) {
  process.stderr.write('usage: npm test [unit|native|e2e]\n');
  process.exit(2);
}
const total = await main(what).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  return FAIL;
});
say(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);
