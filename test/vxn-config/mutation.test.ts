// SPDX-License-Identifier: MIT
// Descriptions that are wrong or hostile: a clear error, or files in which the value stands as a value.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { planInput } from '../../src/vxn-config/commands/context.ts';
import { DescriptionError, position } from '../../src/vxn-config/diagnostics.ts';
import { loadText } from '../../src/vxn-config/load.ts';
import { launcher, type PlanInput, type Planned, places, planTarget } from '../../src/vxn-config/plan.ts';
import { resolveTarget } from '../../src/vxn-config/target.ts';
import { readPlanned } from '../fixtures/syntax.ts';
import { testContext } from '../fixtures/target.ts';

const COUNT = 200;

/** Numbers that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Tree = { [key: string]: unknown };

const base = (): Tree => ({
  extends: 'generic-x86-64',
  description: 'a board',
  architecture: 'x86_64',
  guestType: 'pv',
  engines: ['containerd', 'docker', 'podman', 'k3s', 'kubernetes'],
  paths: {
    bindir: '/usr/bin',
    sbindir: '/usr/sbin',
    libexecdir: '/usr/libexec',
    libdir: '/usr/lib',
    sysconfdir: '/etc',
    datadir: '/usr/share',
    localstatedir: '/var',
    node: '/usr/bin/node',
    blobs: '/usr/share/vxn',
    kernel: 'bzImage',
    initramfs: 'initrd',
  },
  containerd: {
    version: '2.1',
    handler: 'vxn',
    defaultRuntime: 'runc',
    form: 'runc-options',
    snapshotter: 'overlayfs',
    sandboxImage: 'pause:3',
  },
  kubernetes: { runtimeClass: 'vxn', overheadMemory: 5, overheadCpu: '50m', nodeSelector: ['a=b'] },
  modules: ['loop'],
  systemd: { enable: true, after: ['a.service'] },
  defaults: {
    memory: 256,
    cmdline: 'quiet',
    timelineDir: '/t',
    runDir: '/run/v',
    xl: 'xl',
    hostPaths: ['/x'],
  },
});

const HOSTILE = [
  "it's",
  '"quoted"',
  'a"]\nb = "c',
  "'; touch pwned; '",
  '$(touch pwned)',
  '`touch pwned`',
  '<%= process.exit(7) %>',
  '<%- include("/etc/passwd") %>',
  '{{ template "base" . }}',
  '%n%%s',
  '\\',
  '\\x41\\',
  '# comment',
  '../../etc',
  '..',
  '\u0000',
  '\u001b[31m',
  '\u007f',
  '\u2028',
  '\r\n[x]\r\n',
  '*/ x /*',
  '$HOME',
  '\u{1f600}ü',
  '\u202e',
  'a'.repeat(5000),
  ' ',
  '',
  'null',
  '!!binary x',
  '&a *a',
  '__proto__',
  '-n',
  '~',
  'a: b',
  '[plugins]',
];

const WRONG: unknown[] = [null, 0, -1, 1.5, 1e30, true, [], {}, [[]], { a: 1 }, ['x', 'x'], ''];

/** Paths to everything in a tree. */
function keysOf(tree: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof tree !== 'object' || tree === null) return [path];
  return [path, ...Object.entries(tree).flatMap(([key, value]) => keysOf(value, [...path, key]))];
}

interface Mutant {
  text: string;
  what: string;
}

function mutate(next: () => number): Mutant {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const tree = base();
  const notes: string[] = [];
  for (let n = next() < 0.2 ? 2 : 1; n > 0; n--) {
    // Twice as often where a value goes into scripts.
    const keys = keysOf(tree).filter((p) => p.length > 0);
    const path = pick([...keys, ...keys.filter((p) => p[0] === 'paths' && p.length > 1)]);
    const parent = path.slice(0, -1).reduce<Tree>((t, key) => t[key] as Tree, tree);
    const key = String(path.at(-1));
    const before = parent[key];
    const kind = pick(['remove', 'wrong', 'unknown', 'hostile', 'hostile', 'inside', 'inside', 'inside']);
    notes.push(`${kind} ${path.join('.')}`);
    if (kind === 'remove') delete parent[key];
    else if (kind === 'wrong') parent[key] = pick(WRONG);
    else if (kind === 'unknown')
      parent[`${pick(HOSTILE).slice(0, 50)}${next() < 0.5 ? key : ''}`] = pick(WRONG);
    else if (kind === 'inside' && typeof before === 'string') parent[key] = `${before}${pick(HOSTILE)}x`;
    else parent[key] = pick(HOSTILE);
  }
  return { text: JSON.stringify(tree, null, 1), what: notes.join(', ') };
}

/** What a shell makes of the assignments in a script. */
function assignments(script: string, names: readonly string[]): string[] {
  const lines = script
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(`${name}=`)))
    .map((line) => line.replace(/ exec "\$shim" "\$@"$/, ''));
  const print = names.map((name) => `printf '%s\\0' "$${name}"`).join('; ');
  const { stdout, status } = spawnSync('/bin/sh', ['-c', `${lines.join('\n')}\n${print}`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  return stdout.split('\0').slice(0, -1);
}

const contentOf = (files: readonly Planned[], kind: string): string => {
  const file = files.find((f) => f.kind === kind);
  assert.ok(file !== undefined && 'content' in file, kind);
  return file.content;
};

/** Every value of a target that is in a file, read back by the file's own language. */
function checkValues(input: PlanInput, files: readonly Planned[]): void {
  const { target } = input;
  const at = places(target);
  const value = (kind: string): Tree => readPlanned(files.find((f) => f.kind === kind) as Planned) as Tree;
  const { engines } = target;
  assert.deepEqual(value('vxn.yaml'), target.settings);
  assert.deepEqual(assignments(contentOf(files, 'vxn-snapshot'), ['node', 'script', 'final']), [
    target.paths.node,
    at.runtime,
    at.snapshot,
  ]);
  assert.deepEqual(assignments(contentOf(files, 'containerd-shim-vxn-v2'), ['PATH']), [at.shimDir]);
  if (engines.includes('podman')) {
    const { engine } = value('50-vxn.conf') as { engine: { runtimes: unknown } };
    assert.deepEqual(engine.runtimes, { vxn: [at.command] });
  }
  if (engines.includes('docker'))
    assert.deepEqual(value('daemon.json').runtimes, { vxn: { path: at.command } });
  if (engines.includes('containerd')) {
    const text = JSON.stringify(value('containerd-config-vxn.toml'));
    assert.ok(text.includes(`"${target.containerd.handler}":{"runtime_type":`));
    if (target.containerd.form === 'runc-options')
      assert.ok(text.includes(`"BinaryName":${JSON.stringify(at.command)}`));
  }
  const { snapshotter, sandboxImage } = target.containerd;
  if (engines.includes('k3s') && snapshotter !== undefined && sandboxImage !== undefined)
    assert.deepEqual(value('k3s-config.yaml'), { snapshotter, 'pause-image': sandboxImage });
  const head = launcher(input).split('\n');
  assert.ok(
    head.slice(1).every((line) => line.startsWith('":" //')),
    'the head is a comment to node',
  );
  const { status, stderr } = spawnSync('/bin/sh', ['-n'], { input: head.join('\n'), encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

const tally = { errors: 0, files: 0 };
const next = random(20260823);
const mutants = Array.from({ length: COUNT }, () => mutate(next));

for (const [i, { text, what }] of mutants.entries()) {
  test(`mutant ${i}: ${what}`, () => {
    const source = { name: 'm.yaml', text };
    try {
      const target = resolveTarget(loadText(testContext(), source));
      const input = { ...planInput(testContext(), { target: 'k3s' }), target };
      const files = planTarget(input);
      for (const file of files) {
        assert.match(file.path, /^\/[^\n]*$/);
        assert.ok(!file.path.split('/').includes('..'));
        readPlanned(file);
      }
      checkValues(input, files);
      tally.files += 1;
    } catch (error) {
      if (!(error instanceof DescriptionError)) throw error;
      assert.ok(error.diagnostics.length > 0);
      for (const { code, message, place } of error.diagnostics) {
        assert.match(code, /^[A-Z_]+$/);
        assert.ok(message.length < 400, message);
        assert.ok(place !== undefined);
        const { line, column } = position(place);
        assert.ok(line >= 1 && line <= text.split('\n').length && column >= 1);
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not get any
      assert.doesNotMatch(error.message, /[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]/);
      tally.errors += 1;
    }
  });
}

test('both ends were seen often', () => {
  assert.equal(tally.errors + tally.files, COUNT);
  assert.ok(tally.errors > 60, `${tally.errors} errors`);
  assert.ok(tally.files > 50, `${tally.files} sets of files`);
});
