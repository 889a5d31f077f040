// SPDX-License-Identifier: MIT
// The cost of the runtime itself: its calls with a toolstack and a monitor that do nothing. The
// comparisons are an empty node, and runc's calls for a container of the same size.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DEFAULTS } from '../../src/config/config.ts';
import { type Case, measure, type Sample } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROUNDS = 40;
const GOAL = 1.3;
const NODE = process.execPath;

function compile(source: string, to: string): void {
  execFileSync('gcc', ['-O2', '-o', to, join(import.meta.dirname, source)]);
}

function script(file: string, body: string): void {
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

interface Bench {
  folder: string;
  timer: string;
  runtime: string;
  bundle: string;
  env: NodeJS.ProcessEnv;
}

function prepare(): Bench {
  const folder = mkdtempSync('/tmp/b');
  const bin = join(folder, 'bin');
  const bundle = join(folder, 'bundle');
  mkdirSync(bin);
  mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/busybox'));
  compile('timer.c', join(bin, 'timer'));
  compile('monitor.c', join(bin, 'vxn-monitor'));
  execFileSync(NODE, ['scripts/build.mjs'], { cwd: ROOT, stdio: 'ignore' });
  cpSync(join(ROOT, 'dist/libexec/vxn'), join(folder, 'vxn'), { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
  const runtime = join(folder, 'vxn/vxn-oci-runtime');
  writeFileSync(runtime, readFileSync(runtime, 'utf8').replaceAll("'/usr/bin/node'", `'${NODE}'`));
  chmodSync(runtime, 0o755);
  // The answer for a domain that is gone already, in case delete asks.
  script(join(bin, 'xenstore-read'), 'echo "xenstore-read: couldn\'t read path $1" >&2; exit 1');
  const settings = {
    ...DEFAULTS,
    runDir: join(folder, 'r'),
    libDir: join(folder, 'lib'),
    libexecDir: bin,
    // The time of these programs belongs to Xen and e2fsprogs. The lab's part of the benchmark
    // measures it.
    xl: '/bin/true',
    mke2fs: '/bin/true',
    xenstoreRead: join(bin, 'xenstore-read'),
    rootFree: 1,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings));
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(specification()));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', VXN_CONFIG: join(folder, 'config.json') };
  return { folder, timer: join(bin, 'timer'), runtime, bundle, env };
}

function specification(): object {
  const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  return {
    ociVersion: '1.0.2',
    process: {
      args: ['/bin/busybox', 'sleep', '100'],
      cwd: '/',
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
    },
    root: { path: 'rootfs' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces },
  };
}

/** A life of a container as cases, in the order in which an engine makes the calls. */
function life(bench: Bench, label: string, argv: readonly string[]): Case[] {
  const { env, bundle } = bench;
  const verbs: readonly string[][] = [
    ['create', '--bundle', bundle, 'c'],
    ['start', 'c'],
    ['state', 'c'],
    ['kill', 'c', 'KILL'],
    ['delete', '--force', 'c'],
  ];
  return verbs.map((words) => ({
    name: `${label} ${words[0]}`,
    command: () => ({ argv: [...argv, ...words], options: { env } }),
  }));
}

const ms = (n: number): string => n.toFixed(1).padStart(8);
const times = (n: number): string => n.toFixed(2).padStart(9);

function report(
  results: Map<string, Sample>,
  names: readonly string[],
  unit: Sample,
  goal: boolean,
): boolean {
  let met = true;
  process.stdout.write(`${'call'.padEnd(34)}    wall     cpu   x wall    x cpu\n`);
  for (const name of names) {
    const { wall, cpu } = results.get(name) ?? { wall: Number.NaN, cpu: Number.NaN };
    const ratio = wall / unit.wall;
    const verdict = goal ? (ratio <= GOAL ? '  met' : '  MISSED') : '';
    if (goal && ratio > GOAL) met = false;
    process.stdout.write(
      `${name.padEnd(34)}${ms(wall)}${ms(cpu)}${times(ratio)}${times(cpu / unit.cpu)}${verdict}\n`,
    );
  }
  return met;
}

/**
 * The runtime as vxn-snapshot leaves it on a target. undefined where node cannot make a snapshot
 * (it came with 20.12).
 */
function install({ folder, env }: Bench): { runtime: string; blob: string } | undefined {
  const place = join(folder, 'installed');
  cpSync(join(folder, 'vxn'), join(place, 'vxn'), { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(place, 'package.json'), '{ "type": "commonjs" }');
  const [runtime, maker] = ['vxn-oci-runtime', 'vxn-snapshot'].map((name) => {
    const file = join(place, 'vxn', name);
    const text = readFileSync(file, 'utf8').replaceAll("'/usr/bin/node'", `'${NODE}'`);
    writeFileSync(file, text.replaceAll("'/usr/libexec/vxn/", `'${place}/vxn/`));
    chmodSync(file, 0o755);
    return file;
  }) as [string, string];
  const { status } = spawnSync(maker, { env, stdio: 'ignore' });
  return status === 0 ? { runtime, blob: join(place, 'vxn/snapshot/blob') } : undefined;
}

/**
 * The same on a node without a start-up snapshot of its own. Every cross-built node is like that.
 */
const renamed = (c: Case): Case => ({ ...c, name: `${c.name}, cross-built node` });

/** Prints the section. Gives true when the goals are met. */
export function benchRuntime(): boolean {
  const bench = prepare();
  const { folder, timer, runtime, env } = bench;
  try {
    const plain = life(bench, 'plain', [runtime, '--root', '/run/bench']);
    const installed = install(bench);
    const vxn =
      installed === undefined
        ? []
        : life(bench, 'installed', [installed.runtime, '--root', '/run/installed']);
    const noSnapshot = [NODE, '--no-node-snapshot'];
    const bare = life(bench, 'plain', [...noSnapshot, runtime, '--root', '/run/bare']).map(renamed);
    const own =
      installed === undefined
        ? []
        : life(bench, 'installed', [
            ...noSnapshot,
            '--snapshot-blob',
            installed.blob,
            installed.runtime,
            '--root',
            '/run/blob',
          ]).map(renamed);
    const hasRunc = spawnSync('runc', ['--version']).status === 0;
    const runc = hasRunc ? life(bench, 'runc', ['runc', '--root', join(folder, 'runc')]) : [];
    const empty: Case[] = [
      { name: 'node -e 0', command: () => ({ argv: [NODE, '-e', '0'], options: { env } }) },
      {
        name: 'node --no-node-snapshot -e 0',
        command: () => ({ argv: [NODE, '--no-node-snapshot', '-e', '0'], options: { env } }),
      },
    ];
    const results = measure(timer, [...empty, ...vxn, ...plain, ...bare, ...own, ...runc], ROUNDS);
    const unit = results.get('node -e 0') as Sample;
    const bareUnit = results.get('node --no-node-snapshot -e 0') as Sample;
    process.stdout.write(
      `\n== The runtime alone: node ${process.versions.node}, medians of ${ROUNDS} rounds, ms\n\n`,
    );
    const names = (cases: Case[]): string[] => cases.map((c) => c.name);
    const met = report(results, ['node -e 0', ...names(vxn)], unit, true) && installed !== undefined;
    report(results, names(plain), unit, false);
    process.stdout.write('\n');
    const cross = report(results, ['node --no-node-snapshot -e 0', ...names(own)], bareUnit, true);
    report(results, names(bare), bareUnit, false);
    process.stdout.write('\n');
    report(results, names(runc), unit, false);
    const whole = (cases: Case[]): Sample =>
      cases.reduce(
        (sum, c) => {
          const s = results.get(c.name) as Sample;
          return { wall: sum.wall + s.wall, cpu: sum.cpu + s.cpu };
        },
        { wall: 0, cpu: 0 },
      );
    const line = (name: string, cases: Case[]): string => {
      const { wall, cpu } = whole(cases);
      return `${name.padEnd(34)}${ms(wall)}${ms(cpu)}\n`;
    };
    process.stdout.write(
      `\nwhole life (five calls)\n${line('installed', vxn)}${line('plain', plain)}${line('installed, cross-built node', own)}`,
    );
    if (runc.length > 0) process.stdout.write(line('runc', runc));
    process.stdout.write(
      `\ngoal: each call at most ${GOAL} x an empty node, as installed: ${met && cross ? 'met' : 'MISSED'}\n`,
    );
    return met && cross;
  } finally {
    spawnSync('runc', ['--root', join(folder, 'runc'), 'delete', '--force', 'c']);
    rmSync(folder, { recursive: true, force: true });
  }
}
