// SPDX-License-Identifier: MIT
// The bundle as it is shipped: what people and version probes see.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';

const host = new Host();

for (const flag of ['--version', '-v']) {
  test(`${flag} prints three lines, as go-runc and podman read them`, () => {
    const { status, stdout, stderr } = host.run([flag]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^vxn-oci-runtime version \d+\.\d+\.\d+\S*\ncommit: \S+\nspec: 1\.\d+\.\d+\n$/);
  });
}

test('features without global options: JSON with a linux object, nothing on stderr', () => {
  const { status, stdout, stderr } = host.run(['features']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(typeof JSON.parse(stdout).linux, 'object');
  assert.equal(host.run(['features']).stdout, stdout);
});

test('help names every command; each command has its own', () => {
  const { status, stdout } = host.run(['--help']);
  assert.equal(status, 0);
  for (const verb of [
    'create',
    'start',
    'state',
    'kill',
    'delete',
    'list',
    'domains',
    'ps',
    'logs',
    'timeline',
    'features',
    'pause',
    'resume',
    'update',
    'events',
    'spec',
    'checkpoint',
    'restore',
  ]) {
    assert.match(stdout, new RegExp(`^ {2}${verb} `, 'm'));
    const own = host.run([verb, '--help']);
    assert.equal(own.status, 0);
    assert.match(own.stdout, new RegExp(`^Usage: vxn-oci-runtime ${verb} `));
  }
  assert.equal(host.run([]).stdout, stdout);
});

test('domains: the formats of list', () => {
  assert.deepEqual(host.run(['domains', '--format', 'json']), { status: 0, stdout: '[]\n', stderr: '' });
  assert.match(host.run(['domains']).stdout, /^NAME +DOMID +KIND .*\n$/);
  assert.deepEqual(host.run(['domains', '--format', 'xml']), {
    status: 1,
    stdout: '',
    stderr: 'unknown format "xml" (table or json)\n',
  });
});

test('a working directory that is gone is no error where paths are absolute', () => {
  const gone = join(host.folder, 'gone');
  mkdirSync(gone);
  const script = 'cd "$1" && rmdir "$1" && exec "$0" --root /run/test-gone delete --force nobody';
  const { status, stderr } = spawnSync('sh', ['-c', script, host.runtime, gone], {
    encoding: 'utf8',
    env: host.env(),
  });
  assert.equal(status, 0, stderr);
  // The shell that starts node complains, but nobody else.
  assert.doesNotMatch(stderr, /internal error|ENOENT/);
});

test('the environment cannot get at it: NODE_OPTIONS, a deprecation, no PATH', () => {
  const hook = join(host.folder, 'hook.cjs');
  writeFileSync(hook, 'process.stdout.write("hooked"); process.emitWarning("noise");');
  const { status, stdout, stderr } = host.run(['list', '-q'], {
    env: { NODE_OPTIONS: `--require ${hook}`, PATH: '/no' },
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

test('a reader that goes away is no crash', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
  const script = '"$0" --help | true; exit "${PIPESTATUS[0]}"';
  const { status, stderr } = spawnSync('bash', ['--norc', '-c', script, host.runtime], {
    encoding: 'utf8',
    env: {},
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('/etc/vxn/vxn.yaml is parsed once, then read from the cache beside the state', () => {
  // The real file, since the place is fixed; this machine has none of its own.
  const file = '/etc/vxn/vxn.yaml';
  const cache = '/run/vxn/config.json';
  assert.equal(existsSync(file), false, `${file} is in the way`);
  mkdirSync('/etc/vxn', { recursive: true });
  rmSync(cache, { force: true });
  try {
    const env = { VXN_CONFIG: undefined };
    writeFileSync(file, 'timelineDir: /run/vxn/kept # comment\n');
    assert.equal(host.run(['list', '-q'], { env }).status, 0);
    assert.equal(JSON.parse(readFileSync(cache, 'utf8')).config.timelineDir, '/run/vxn/kept');
    // Without the parser's file the cache must do.
    rmSync(join(host.folder, 'vxn/vxn-yaml.cjs'));
    assert.equal(host.run(['list', '-q'], { env }).status, 0);
    writeFileSync(file, 'timelineDir: /run/vxn/kept2\n');
    assert.equal(host.run(['list', '-q'], { env }).status, 1);
  } finally {
    rmSync(file, { force: true });
    rmSync(cache, { force: true });
  }
});
