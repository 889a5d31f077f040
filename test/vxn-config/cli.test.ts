// SPDX-License-Identifier: MIT
// vxn-config as it is called: exit statuses, streams, JSON. And as it is built: a tree that works on its own.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { init } from '../../src/vxn-config/commands/init.ts';
import { loadTarget } from '../../src/vxn-config/load.ts';
import { resolveTarget } from '../../src/vxn-config/target.ts';
import { testContext } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = temporaryFolder();
const built = join(folder, 'built');

before(() => {
  execFileSync(process.execPath, ['scripts/build.mjs', '--out', join(folder, 'first')], { cwd: ROOT });
  // Elsewhere than where it was built.
  cpSync(join(folder, 'first'), built, { recursive: true, verbatimSymlinks: true });
});

function vxnConfig(...args: string[]) {
  // Nothing but node, and no node_modules above.
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(built, 'bin/vxn-config'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  return { status, stdout, stderr };
}

describe('the built vxn-config', () => {
  test('list, show, generate, check, diff', () => {
    assert.match(vxnConfig('list').stdout, /^qemuarm64 {2,}\S/m);
    const targets = JSON.parse(vxnConfig('list', '--json').stdout) as { name: string }[];
    assert.deepEqual(
      targets.map((t) => t.name),
      ['generic-x86-64', 'k3s', 'qemuarm64', 'qemux86-64'],
    );
    const out = join(folder, 'out');
    const generated = vxnConfig('generate', '--target', 'qemuarm64', '--out', out);
    assert.equal(generated.status, 0, generated.stderr);
    assert.match(generated.stdout, /^0755 {2}\/usr\/bin\/vctr$/m);
    assert.equal(statSync(join(out, 'usr/bin/vctr')).mode & 0o777, 0o755);
    assert.deepEqual(vxnConfig('check', out, '--target', 'qemuarm64'), { status: 0, stdout: '', stderr: '' });
    assert.deepEqual(vxnConfig('diff', out, '--target', 'qemuarm64'), { status: 0, stdout: '', stderr: '' });

    writeFileSync(join(out, 'etc/docker/daemon.json'), '{}\n');
    writeFileSync(join(out, 'usr/bin/vctr'), '', { mode: 0o755 });
    const drift = vxnConfig('check', out, '--target', 'qemuarm64');
    assert.equal(drift.status, 1);
    assert.equal(drift.stdout, '/etc/docker/daemon.json lacks our part\n/usr/bin/vctr has another content\n');
    const diff = vxnConfig('diff', out, '--target', 'qemuarm64');
    assert.equal(diff.status, 1);
    assert.match(
      diff.stdout,
      /^--- a\/etc\/docker\/daemon\.json\n\+\+\+ b.*\n@@ -1,1 \+1,\d+ @@\n-\{\}\n\+\{/m,
    );
  });

  test('the output of diff is what patch takes', () => {
    const out = join(folder, 'patched');
    vxnConfig('generate', '-t', 'k3s', '-o', out);
    const { stdout } = vxnConfig(
      'diff',
      out,
      '-t',
      'k3s',
      '-s',
      'defaults.memory=7',
      '-s',
      'modules=[a, loop, b]',
    );
    const patch = spawnSync('patch', ['-p1', '-d', out], { input: stdout, encoding: 'utf8' });
    assert.equal(patch.status, 0, patch.stdout);
    const again = vxnConfig(
      'check',
      out,
      '-t',
      'k3s',
      '-s',
      'defaults.memory=7',
      '-s',
      'modules=[a, loop, b]',
    );
    assert.deepEqual(again, { status: 0, stdout: '', stderr: '' });
  });

  test('generate --dry-run and --json', () => {
    const dry = vxnConfig('generate', '-t', 'k3s', '--dry-run', '--json');
    const { target, files } = JSON.parse(dry.stdout) as { target: string; files: Record<string, string>[] };
    assert.equal(target, 'k3s');
    assert.ok(files.every((f) => f.link !== undefined || /^[0-9a-f]{64}$/.test(f.sha256 ?? '')));
    assert.deepEqual(readdirSync(folder).includes('etc'), false);
  });

  test('generate --runtime: the runtime runs from where the target says', () => {
    const out = join(folder, 'runtime');
    const paths = ['-s', `paths.libexecdir=${out}/opt/it's here`, '-s', `paths.node=${process.execPath}`];
    const root = join(folder, 'root');
    vxnConfig(
      'generate',
      '-t',
      'k3s',
      '-o',
      root,
      '--runtime',
      join(built, 'libexec/vxn/vxn-oci-runtime'),
      ...paths,
    );
    const script = join(root, out, "opt/it's here/vxn/vxn-oci-runtime");
    assert.match(execFileSync(script, ['--version'], { encoding: 'utf8' }), /^vxn-oci-runtime version /);
  });

  test('show gives a description that makes the same files', () => {
    const { stdout } = vxnConfig('show', 'k3s', '--set', 'defaults.memory=7');
    writeFileSync(join(folder, 'k3s.yaml'), stdout);
    const files = (...args: string[]): unknown =>
      (
        JSON.parse(vxnConfig('generate', '--dry-run', '--json', ...args).stdout) as {
          files: { path: string }[];
        }
      ).files;
    const described = files('-t', './k3s.yaml') as { path: string; sha256: string }[];
    const own = files('-t', 'k3s') as { path: string; sha256: string }[];
    const differs = own.filter((f, i) => described[i]?.sha256 !== f.sha256).map((f) => f.path);
    assert.deepEqual(differs, ['/etc/vxn/vxn.yaml']);
    assert.match(stdout, /^ {2}version: "2\.1" # k3s\.yaml:\d+$/m);
    assert.match(stdout, /^ {2}memory: 7 # --set$/m);
  });

  test('a wrong description is status 2, on stderr, as text or as JSON', () => {
    writeFileSync(join(folder, 'bad.yaml'), 'architecture: x86\nnothing: 1\n');
    const text = vxnConfig('generate', '-t', 'bad.yaml', '-o', join(folder, 'x'));
    assert.deepEqual([text.status, text.stdout], [2, '']);
    assert.match(
      text.stderr,
      /^bad\.yaml:1:15: error: .*\[NOT_ONE_OF\]\n.*\n.*\^{3}\nbad\.yaml:2:1: error: /,
    );
    const set = vxnConfig('check', '/', '--target', 'k3s', '--set', 'paths.bindir=bin');
    assert.equal(set.status, 2);
    assert.match(set.stderr, /^--set:1:14: error: paths\.bindir/m);
    const json = vxnConfig('generate', '-t', 'bad.yaml', '--dry-run', '--json');
    assert.equal(json.status, 2);
    const { errors } = JSON.parse(json.stderr) as { errors: { code: string; line: number }[] };
    assert.deepEqual(
      errors.map(({ code, line }) => [code, line]),
      [
        ['NOT_ONE_OF', 1],
        ['UNKNOWN_KEY', 2],
      ],
    );
  });

  test('a wrong command line is status 2; what cannot be done is 3', () => {
    for (const args of [
      ['generate'],
      ['generate', '-t', 'k3s'],
      ['genrate'],
      ['diff', '-t', 'k3s'],
      ['explain', 'nothing'],
      ['list', '--nothing'],
    ]) {
      const { status, stderr } = vxnConfig(...args);
      assert.equal(status, 2, args.join(' '));
      assert.notEqual(stderr, '');
    }
    assert.match(vxnConfig('genrate').stderr, /Did you mean generate\?/);
    assert.match(
      vxnConfig('explain', 'nothing').stderr,
      /^vxn-config: there is no key "nothing" \(.*\) \[USAGE\]\n$/,
    );
    const nothing = vxnConfig('uninstall', '--root', folder, '--json');
    assert.equal(nothing.status, 3);
    assert.equal(JSON.parse(nothing.stderr).errors[0].code, 'DOES_NOT_EXIST');
    writeFileSync(join(folder, 'file'), '');
    const file = vxnConfig('generate', '-t', 'k3s', '-o', join(folder, 'file'));
    assert.equal(file.status, 3);
    assert.match(file.stderr, /\[HOST\]\n$/);
    assert.equal(vxnConfig('--help').status, 0);
    assert.match(vxnConfig('--version').stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test('install and uninstall in an image', () => {
    const root = join(folder, 'image');
    mkdirSync(join(root, 'etc/docker'), { recursive: true });
    writeFileSync(join(root, 'etc/docker/daemon.json'), '{"runtimes":{"vxn":{"path":"/other"}}}');
    const refused = vxnConfig('install', '-t', 'generic-x86-64', '--root', root);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /^\/etc\/docker\/daemon\.json:1:14: error: .*\[CONFLICT\]/m);
    writeFileSync(join(root, 'etc/docker/daemon.json'), '{}');
    const { changes, restart } = JSON.parse(
      vxnConfig('install', '-t', 'generic-x86-64', '--root', root, '--json').stdout,
    ) as { changes: { path: string; action: string }[]; restart: string[] };
    assert.deepEqual(restart, ['containerd', 'docker']);
    assert.equal(changes.find((c) => c.path === '/etc/docker/daemon.json')?.action, 'edited');
    assert.equal(vxnConfig('uninstall', '--root', root).status, 0);
    assert.equal(readFileSync(join(root, 'etc/docker/daemon.json'), 'utf8'), '{}');
  });
});

describe('init', () => {
  const nobody = async (): Promise<undefined> => undefined;

  test('asks what no option answers', async () => {
    const asked: string[] = [];
    const answers = ['', 'aarch64', 'pvh', 'docker, podman', '', '512'];
    const file = join(folder, 'asked.yaml');
    await init(testContext(), file, {}, async (question) => {
      asked.push(question);
      return answers.shift();
    });
    assert.equal(asked.length, 6);
    const target = resolveTarget(loadTarget(testContext(), file));
    assert.deepEqual(
      [target.architecture, target.engines, target.settings.memory],
      ['aarch64', ['docker', 'podman'], 512],
    );
  });

  test('options, nobody to ask', async () => {
    const file = join(folder, 'options.yaml');
    const options = { extends: 'k3s', engines: 'k3s', containerd: '1.7', memory: '64' };
    await init(testContext(), file, options, nobody);
    const target = resolveTarget(loadTarget(testContext(), file));
    assert.deepEqual([target.engines, target.containerd.version], [['k3s'], '1.7']);
    await assert.rejects(init(testContext(), file, options, nobody), /is there already/);
    await init(testContext(), file, { ...options, memory: '128', force: true }, nobody);
    assert.equal(resolveTarget(loadTarget(testContext(), file)).settings.memory, 128);
  });

  test('answers that make no description are refused, and nothing is written', async () => {
    const file = join(folder, 'wrong.yaml');
    await assert.rejects(
      init(testContext(), file, { memory: 'lots', engines: 'rkt' }, nobody),
      /NOT_ONE_OF.*BAD_SETTING/s,
    );
    assert.equal(existsSync(file), false);
  });
});
