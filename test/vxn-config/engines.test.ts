// SPDX-License-Identifier: MIT
// docker, podman and systemd read the files of a target as they are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { targetNames } from '../../src/vxn-config/load.ts';
import { writePlanned } from '../../src/vxn-config/tree.ts';
import { engineTree, extraFile, type Machine, startMachine } from '../fixtures/engines.ts';
import { planned, TEMPLATES } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const RUNTIME = `#!/bin/sh
case $1 in
features) echo '{"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0"}' ;;
*) echo "vxn-oci-runtime version 9.9" ;;
esac
`;

/** What dockerd answers at its socket, once it does. */
async function docker(machine: Machine, path: string): Promise<Record<string, unknown>> {
  const socketPath = join(machine.shared, 'd.sock');
  for (let i = 0; i < 1200; i++) {
    const answer = await new Promise<string | undefined>((resolve) => {
      const ask = request({ socketPath, path }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve(text));
      });
      ask.on('error', () => resolve(undefined));
      ask.end();
    });
    if (answer !== undefined) return JSON.parse(answer) as Record<string, unknown>;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`dockerd does not answer: ${machine.run('tail', '-5', '/shared/log').stdout}`);
}

const DOCKERD = [
  'dockerd',
  '-H',
  'unix:///shared/d.sock',
  '--iptables=false',
  '--bridge=none',
  '--storage-driver=vfs',
];

interface Case {
  suite: 'bookworm' | 'trixie' | 'forky';
  set: string[];
  path: string | undefined;
}

const CASES: readonly Case[] = [
  { suite: 'bookworm', set: [], path: '/usr/bin/vxn-oci-runtime' },
  { suite: 'trixie', set: [], path: '/usr/bin/vxn-oci-runtime' },
  { suite: 'forky', set: ['docker.form=shim'], path: undefined },
];

for (const { suite, set, path } of CASES) {
  describe(`${suite}, ${set.join(' ') || 'as it comes'}`, () => {
    const start = async (argv: readonly string[], more: readonly string[] = []): Promise<Machine> => {
      const runtime = extraFile('/usr/libexec/vxn/vxn-oci-runtime', RUNTIME, 0o755);
      return startMachine(
        await engineTree(suite),
        [...planned('generic-x86-64', [...set, ...more]), runtime],
        argv,
      );
    };

    test('docker knows the runtime', async () => {
      const machine = await start(DOCKERD);
      try {
        const info = (await docker(machine, '/info')) as {
          Runtimes: Record<string, { path?: string }>;
          DefaultRuntime: string;
        };
        assert.ok(Object.hasOwn(info.Runtimes, 'vxn'));
        assert.ok(Object.hasOwn(info.Runtimes, 'runc'));
        assert.equal(info.Runtimes.vxn?.path, path);
        assert.equal(info.DefaultRuntime, 'runc');
        if (suite !== 'bookworm') {
          const { status, stderr } = machine.run('dockerd', '--validate');
          assert.equal(status, 0, stderr);
        }
      } finally {
        await machine.stop();
      }
    });

    test('podman knows the runtime, and its own as before', async () => {
      const machine = await start(['sleep', '600'], suite === 'forky' ? ['podman.defaultRuntime=vxn'] : []);
      const format = ['--format', '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'];
      const info = (...flags: string[]): string =>
        machine.run('podman', ...flags, 'info', ...format).stdout.trim();
      try {
        const usual = suite === 'forky' ? 'vxn /usr/bin/vxn-oci-runtime' : 'crun /usr/bin/crun';
        assert.equal(info(), usual);
        assert.equal(info('--runtime', 'vxn'), 'vxn /usr/bin/vxn-oci-runtime');
        assert.equal(info('--runtime', 'crun'), 'crun /usr/bin/crun');
        assert.notEqual(machine.run('podman', '--runtime', 'vxm', 'info').status, 0);
      } finally {
        await machine.stop();
      }
    });
  });
}

describe('systemd and the shells', () => {
  const HARD = [
    'paths.bindir=/opt/v x"n%/bin',
    "paths.libexecdir=/opt/it's $HOME",
    'paths.localstatedir=/a "b" %s',
  ];
  for (const [target, set] of [
    ...targetNames(TEMPLATES).map((name) => [name, []] as const),
    ['generic-x86-64', HARD] as const,
  ]) {
    const root = temporaryFolder();
    const files = planned(target, set);
    for (const file of files) writePlanned(root, file);

    test(`${target} ${set.join(' ')}: systemd-analyze verifies the drop-ins`, () => {
      const dropIns = files.filter((f) => f.kind === 'engine-unit.conf');
      assert.ok(dropIns.length > 0);
      for (const { path } of dropIns) {
        const unit = /([a-z0-9]+\.service)\.d/.exec(path)?.[1] ?? '';
        const service = '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n';
        writePlanned(root, extraFile('/bin/true', '#!/bin/sh\n', 0o755));
        writePlanned(root, extraFile(`/usr/lib/systemd/system/${unit}`, service));
        const { status, stderr } = spawnSync(
          'systemd-analyze',
          ['verify', `--root=${root}`, '--man=no', unit],
          {
            encoding: 'utf8',
          },
        );
        assert.deepEqual([status, stderr], [0, '']);
      }
    });

    test(`${target} ${set.join(' ')}: systemd-analyze verifies the unit of the snapshot`, () => {
      writePlanned(root, extraFile('/bin/sh', '#!/bin/false\n', 0o755));
      for (const name of ['sysinit', 'basic', 'shutdown', 'local-fs', 'multi-user']) {
        const unit = '[Unit]\nDefaultDependencies=no\n';
        writePlanned(root, extraFile(`/usr/lib/systemd/system/${name}.target`, unit));
      }
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', `--root=${root}`, '--man=no', 'vxn-snapshot.service'],
        { encoding: 'utf8' },
      );
      assert.deepEqual([status, stderr], [0, '']);
    });

    test(`${target} ${set.join(' ')}: systemd-tmpfiles makes the folders`, () => {
      const at = temporaryFolder();
      const conf = files.find((f) => f.kind === 'tmpfiles.conf');
      assert.ok(conf !== undefined);
      const passwd = extraFile('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
      for (const file of [conf, passwd, extraFile('/etc/group', 'root:x:0:\n')]) writePlanned(at, file);
      const { status, stderr } = spawnSync(
        'systemd-tmpfiles',
        ['--create', `--root=${at}`, join(at, conf.path)],
        {
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stderr);
      const made = set.length === 0 ? '/var/lib/vxn' : '/a "b" %s/lib/vxn';
      assert.equal(spawnSync('stat', ['-c', '%a', join(at, made)], { encoding: 'utf8' }).stdout, '700\n');
    });

    test(`${target} ${set.join(' ')}: shellcheck`, () => {
      const kinds = ['vctr', 'containerd-shim-vxn-v2', 'vxn-snapshot'];
      const scripts = files.filter((f) => kinds.includes(f.kind)).map((f) => join(root, f.path));
      assert.equal(scripts.length, 3);
      const completion = files.find((f) => f.kind === 'vctr-completion');
      const bash = ['--shell=bash', join(root, completion?.path ?? '')];
      // That a dollar sign in a path is not expanded is as it shall be.
      const but = set.length === 0 ? [] : ['--exclude=SC2016'];
      for (const args of [scripts, bash]) {
        const { status, stdout } = spawnSync('shellcheck', [...but, ...args], { encoding: 'utf8' });
        assert.equal(status, 0, stdout);
      }
    });
  }
});
