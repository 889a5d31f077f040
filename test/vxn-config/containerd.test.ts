// SPDX-License-Identifier: MIT
// The configuration of every generation of containerd, loaded by the real daemon of that
// generation. A pod that asks for vxn gets our runtime or an error, never the real runc.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildOciImage, IMAGE } from '../../lab/oci-image.ts';
import { until } from '../../src/host/wait.ts';
import { install } from '../../src/vxn-config/commands/install.ts';
import type { Planned } from '../../src/vxn-config/plan.ts';
import {
  containerdGeneration,
  engineTree,
  extraFile,
  type Machine,
  type Suite,
  startMachine,
} from '../fixtures/engines.ts';
import { call, strings } from '../fixtures/grpc.ts';
import { planned, testContext } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

// Stands in for vxn-oci-runtime: notes its arguments, and does what the shim needs to see.
const FAKE_RUNTIME = `#!/bin/sh
PATH=/usr/local/bin:/usr/bin
echo "$*" >>/shared/vxn.calls
while [ $# -gt 0 ]; do
  case $1 in
  --root | --log | --log-format | --criu) shift 2 ;;
  --*) shift ;;
  *) break ;;
  esac
done
command=$1
shift
case $command in
create)
  while [ $# -gt 1 ]; do
    [ "$1" != --pid-file ] || pid_file=$2
    shift
  done
  setsid sleep 600 </dev/null >/dev/null 2>&1 &
  printf %s $! >"$pid_file"
  printf %s $! >"/tmp/$1.pid"
  ;;
kill) kill -9 "$(cat "/tmp/$1.pid" 2>/dev/null)" 2>/dev/null || true ;;
features) echo '{"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0","linux":{"namespaces":["mount"]}}' ;;
esac
`;

// The real runc behind a note. A machine of tests may lack the capability to lower a process's OOM score.
const NOTING_RUNC = `#!/bin/sh
echo "$*" >>/shared/runc.calls
case "$*" in *" create --bundle "*) sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' config.json ;; esac
exec /usr/sbin/runc "$@"
`;

interface Case {
  name: string;
  suite: Suite;
  set: string[];
  /** What a pod runs under that names no handler. */
  default?: 'vxn';
  /** The config.toml that is there, to which `install` adds. */
  there?: string;
}

// As Docker's packages have it: CRI is off, and there is no version.
const DOCKERS = 'disabled_plugins = ["cri"]\n\n#root = "/var/lib/containerd"\n';

const CASES: readonly Case[] = [
  { name: '1.6', suite: 'bookworm', set: [] },
  { name: '1.7', suite: 'trixie', set: [] },
  {
    name: '1.7, vxn by default',
    suite: 'trixie',
    set: ['containerd.defaultRuntime=vxn', 'containerd.snapshotter=native'],
    default: 'vxn',
  },
  {
    name: '2.x, vxn by default',
    suite: 'forky',
    set: ['containerd.defaultRuntime=vxn', 'containerd.snapshotter=native'],
    default: 'vxn',
  },
  { name: '2.x, drop-in', suite: 'forky', set: [] },
  {
    name: '2.x, one file',
    suite: 'forky',
    set: ['containerd.layout=file'],
  },
  {
    name: '2.x, version 2',
    suite: 'forky',
    set: ['containerd.configVersion=2'],
  },
  {
    name: '2.x, runc-options',
    suite: 'forky',
    set: ['containerd.form=runc-options'],
  },
  {
    name: "2.x, Docker's file with CRI taken out of disabled_plugins",
    suite: 'forky',
    set: ['containerd.defaultRuntime=vxn', 'containerd.snapshotter=native'],
    default: 'vxn',
    there: DOCKERS.replace('"cri"', ''),
  },
];

const SOCKET = '/shared/c.sock';

function sandboxRequest(name: string, handler: string) {
  return {
    1: {
      1: { 1: name, 2: name, 3: 'test', 4: 0 },
      3: '/tmp/logs',
      // cgroup parent; network, pid and ipc of the node.
      8: { 1: '/vxn-test', 2: { 1: { 1: 2, 2: 0, 3: 0 } } },
    },
    2: handler,
  };
}

function lines(machine: Machine, file: string): string[] {
  const path = join(machine.shared, file);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/** The files of a target, with those that `install` makes of a config.toml that is there. */
function installed(set: readonly string[], there: string): Planned[] {
  const root = temporaryFolder();
  const config = '/etc/containerd/config.toml';
  mkdirSync(join(root, '/etc/containerd'), { recursive: true });
  writeFileSync(join(root, config), there);
  install(testContext(), { target: 'generic-x86-64', root, set });
  const others = planned('generic-x86-64', set).filter(({ path }) => !path.startsWith('/etc/containerd/'));
  return [...others, extraFile(config, readFileSync(join(root, config), 'utf8'))];
}

async function startContainerd({
  suite,
  set,
  there,
}: Pick<Case, 'suite' | 'set' | 'there'>): Promise<Machine> {
  const sets = [
    `containerd.version=${await containerdGeneration(suite)}`,
    `containerd.sandboxImage=${IMAGE}`,
    ...set,
  ];
  const extra = [
    ...(there === undefined ? planned('generic-x86-64', sets) : installed(sets, there)),
    extraFile('/usr/libexec/vxn/vxn-oci-runtime', FAKE_RUNTIME, 0o755),
    extraFile('/usr/local/sbin/runc', NOTING_RUNC, 0o755),
  ];
  const machine = await startMachine(await engineTree(suite), extra, ['containerd', '--address', SOCKET]);
  for (let i = 0; i < 600 && machine.run('ctr', '-a', SOCKET, 'version').status !== 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return machine;
}

for (const given of CASES) {
  describe(`containerd ${given.name}`, () => {
    let machine: Machine;
    const ctr = (...args: string[]) => machine.run('ctr', '-a', SOCKET, ...args);
    const runPod = async (name: string, handler: string): Promise<string> => {
      const answer = await call(
        join(machine.shared, 'c.sock'),
        '/runtime.v1.RuntimeService/RunPodSandbox',
        sandboxRequest(name, handler),
      );
      return strings(answer).get(1) ?? '';
    };

    // CRI hears of a new image by an event. Until then it would pull the image.
    const criKnowsImage = async (): Promise<void> => {
      const socket = join(machine.shared, 'c.sock');
      const known = async (): Promise<boolean> => {
        const answer = await call(socket, '/runtime.v1.ImageService/ImageStatus', { 1: { 1: IMAGE } });
        return strings(answer).has(1);
      };
      assert.ok(await until(known, { timeoutMs: 30_000, firstMs: 10, maxMs: 200 }), 'CRI knows the image');
    };

    before(async () => {
      machine = await startContainerd(given);
    });
    after(() => machine.stop());

    test('runs, with its CRI plugin, and knows the runtime', () => {
      const { stdout, status } = ctr('version');
      assert.equal(status, 0, readFileSync(join(machine.shared, 'log'), 'utf8'));
      assert.match(stdout, /Server:\s+Version: /);
      const plugins = ctr('plugins', 'ls').stdout.split('\n');
      const cri = plugins.filter((l) => /\bcri\b|io\.containerd\.cri\.v1 +(runtime|images)/.test(l));
      assert.ok(cri.length > 0);
      for (const line of cri) assert.match(line, / ok\s*$/);
      const dump = machine.run('containerd', 'config', 'dump');
      assert.equal(dump.status, 0, dump.stderr);
      assert.match(dump.stdout, /runtimes\.["']?vxn/);
      assert.match(dump.stdout, /runtimes\.["']?runc/);
      assert.match(dump.stdout, new RegExp(`default_runtime_name = ["']${given.default ?? 'runc'}["']`));
      assert.ok(dump.stdout.includes('org.openembedded.vxn.*'));
    });

    test('a pod with handler vxn reaches our runtime, one with runc the real runc', async () => {
      writeFileSync(join(machine.shared, 'image.tar'), await buildOciImage());
      const snapshotter = given.set.includes('containerd.snapshotter=native') ? 'native' : 'overlayfs';
      const imported = ctr('-n', 'k8s.io', 'images', 'import', '--no-unpack', '/shared/image.tar');
      assert.equal(imported.status, 0, imported.stderr);
      await criKnowsImage();
      assert.match(await runPod('one', 'vxn'), /^[0-9a-f]{64}$/);
      const calls = lines(machine, 'vxn.calls');
      assert.ok(
        calls.some((l) => / create .*--bundle /.test(l)),
        calls.join('\n'),
      );
      assert.ok(calls.some((l) => / start /.test(l)));
      assert.deepEqual(
        lines(machine, 'runc.calls').filter((l) => / create /.test(l)),
        [],
      );
      const creates = (file: string): number => lines(machine, file).filter((l) => / create /.test(l)).length;
      assert.match(await runPod('two', 'runc'), /^[0-9a-f]{64}$/);
      assert.deepEqual([creates('vxn.calls'), creates('runc.calls')], [1, 1]);
      assert.match(await runPod('three', ''), /^[0-9a-f]{64}$/);
      assert.deepEqual(
        [creates('vxn.calls'), creates('runc.calls')],
        given.default === 'vxn' ? [2, 1] : [1, 2],
      );
      const used = ctr('-n', 'k8s.io', 'snapshots', '--snapshotter', snapshotter, 'ls').stdout;
      assert.equal(used.split('\n').filter((l) => / Active\b/.test(l)).length, 3, used);
    });

    test('fail-closed: no such handler, no runtime, no shim', async () => {
      const creates = (): number => lines(machine, 'runc.calls').filter((l) => / create /.test(l)).length;
      const before = creates();
      await assert.rejects(runPod('four', 'vxm'), /vxm/);
      machine.run('rm', '/usr/libexec/vxn/vxn-oci-runtime');
      await assert.rejects(runPod('five', 'vxn'), /runc|vxn-oci-runtime/);
      if (given.set.includes('containerd.form=runc-options')) return;
      machine.run('rm', '/usr/bin/containerd-shim-vxn-v2');
      await assert.rejects(runPod('six', 'vxn'), /containerd-shim-vxn-v2/);
      assert.equal(creates(), before);
    });
  });
}

test("containerd 2.x starts with Docker's own file after install; CRI stays off, as install says", async () => {
  const machine = await startContainerd({ suite: 'forky', set: [], there: DOCKERS });
  try {
    const plugins = machine.run('ctr', '-a', SOCKET, 'plugins', 'ls').stdout;
    assert.match(plugins, /io\.containerd\.cri\.v1 +runtime .* ok/);
    assert.doesNotMatch(plugins, /io\.containerd\.grpc\.v1 +cri /);
  } finally {
    await machine.stop();
  }
});
