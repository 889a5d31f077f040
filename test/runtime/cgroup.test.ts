// SPDX-License-Identifier: MIT
// The container's cgroups, in the hierarchies of this machine, v1 and v2.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hierarchies } from '../../src/container/cgroup.ts';
import { domainName } from '../../src/container/container.ts';
import { Host, STATE_ROOT } from '../fixtures/host.ts';
import { configJson, processJson, replaced } from '../fixtures/spec.ts';

const host = new Host();
const NAME = `vxn-test-${process.pid}`;
const mounts = hierarchies(readFileSync('/proc/self/mountinfo', 'utf8')).map((h) => h.mount);

const folders = (path: string): string[] =>
  mounts.map((mount) => join(mount, path)).filter((f) => existsSync(f));
const pidOf = (id: string): number => JSON.parse(host.run(['state', id]).stdout).pid;
/** The paths of a process below the root of each hierarchy. */
const cgroupsOf = (pid: number): string[] => [
  ...new Set(
    readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(':').slice(2).join(':')),
  ),
];
const withPath = (cgroupsPath: unknown, script = 'sleep 60'): string =>
  host.bundle(
    replaced(
      configJson({ process: processJson({ args: ['/bin/sh', '-c', script] }) }),
      'linux.cgroupsPath',
      cgroupsPath,
    ) as Record<string, unknown>,
  );

after(() => {
  for (const folder of [...folders(`/${NAME}`), ...folders(`/${NAME}.slice`)]) rmdirSync(folder);
});

const FORMS: [form: string, cgroupsPath: string, path: string][] = [
  ['a path', `/${NAME}/deep/one`, `/${NAME}/deep/one`],
  [
    'slice:prefix:name',
    `${NAME.replaceAll('-', '_')}-pod.slice:cri:one`,
    `/${NAME.replaceAll('-', '_')}.slice/${NAME.replaceAll('-', '_')}-pod.slice/cri-one.scope`,
  ],
];
for (const [form, cgroupsPath, path] of FORMS) {
  test(`the monitor is in the cgroup of config.json in every hierarchy, until delete: ${form}`, async () => {
    const c = host.create('form', { bundle: withPath(cgroupsPath) });
    assert.equal(await c.created, 0, c.text('stderr'));
    assert.deepEqual(cgroupsOf(pidOf('form')), [path]);
    assert.equal(folders(path).length, mounts.length);
    assert.equal(host.run(['delete', '--force', 'form']).status, 0);
    const top = path.split('/').slice(0, 2).join('/');
    assert.deepEqual(folders(top), []);
  });
}

test('without linux.cgroupsPath it is one of its own below /vxn', async () => {
  const c = host.create('own');
  assert.equal(await c.created, 0);
  const path = `/vxn/${domainName(STATE_ROOT, 'own')}`;
  assert.deepEqual(cgroupsOf(pidOf('own')), [path]);
  host.run(['start', 'own']);
  await c.exit;
  assert.equal(host.run(['delete', 'own']).status, 0);
  assert.deepEqual(folders(path), []);
});

test('what exec runs has its monitor in the same cgroup', async () => {
  const c = host.create('both', { bundle: withPath(`/${NAME}/both`, 'while :; do sleep 1; done') });
  assert.equal(await c.created, 0);
  assert.equal(host.run(['start', 'both']).status, 0);
  const e = host.exec('both', { process: { args: ['/bin/sh', '-c', 'while :; do sleep 1; done'] } });
  assert.equal(await e.created, 0, e.text('stderr'));
  assert.deepEqual(cgroupsOf(Number(readFileSync(e.pidFile, 'utf8'))), [`/${NAME}/both`]);
  assert.equal(host.run(['delete', '--force', 'both']).status, 0);
  assert.equal(await e.exit, 137);
  assert.deepEqual(folders(`/${NAME}`), []);
});

test('no limit is set there: the memory limit is the domain’s', async () => {
  const linux = {
    ...(configJson().linux as object),
    cgroupsPath: `/${NAME}/limits`,
    resources: { memory: { limit: 64 << 20 } },
  };
  const c = host.create('limits', { bundle: host.script('sleep 60', { linux }) });
  assert.equal(await c.created, 0);
  for (const folder of folders(`/${NAME}/limits`)) {
    for (const file of ['memory.max', 'memory.limit_in_bytes'].filter((f) => existsSync(join(folder, f)))) {
      const text = readFileSync(join(folder, file), 'utf8').trim();
      assert.ok(text === 'max' || Number(text) > 2 ** 60, `${file}: ${text}`);
    }
  }
  host.run(['delete', '--force', 'limits']);
});

test('a cgroup that was there stays, and one that somebody made below ours goes', async () => {
  for (const mount of mounts) mkdirSync(join(mount, NAME), { recursive: true });
  const c = host.create('below', { bundle: withPath(`/${NAME}/below`) });
  assert.equal(await c.created, 0);
  for (const mount of mounts) mkdirSync(join(mount, NAME, 'below/nested'));
  assert.equal(host.run(['delete', '--force', 'below']).status, 0);
  assert.deepEqual(folders(`/${NAME}/below`), []);
  assert.equal(folders(`/${NAME}`).length, mounts.length);
  for (const folder of folders(`/${NAME}`)) rmdirSync(folder);
});

test('a create that fails or is killed leaves no cgroup', async () => {
  host.fault('monitor-dies');
  const c = host.create('fails', { bundle: withPath(`/${NAME}/fails`) });
  assert.equal(await c.created, 1);
  assert.deepEqual(folders(`/${NAME}`), []);
  host.fault('create-slow');
  const d = host.create('fails', { bundle: withPath(`/${NAME}/fails`) });
  while (!existsSync(host.places('fails').state)) await new Promise((resolve) => setTimeout(resolve, 5));
  d.child.kill('SIGKILL');
  host.fault(undefined);
  assert.equal(host.run(['delete', '--force', 'fails']).status, 0);
  assert.deepEqual(folders(`/${NAME}`), []);
  assert.deepEqual(await host.leftovers('fails'), []);
});

test('delete says which process keeps the cgroup, and a later one finishes', {
  timeout: 60_000,
}, async () => {
  const c = host.create('kept', { bundle: withPath(`/${NAME}/kept`) });
  assert.equal(await c.created, 0);
  const [folder = ''] = folders(`/${NAME}/kept`);
  const procs = readFileSync(join(folder, 'cgroup.procs'), 'utf8');
  assert.ok(procs.includes(String(pidOf('kept'))));
  const { child } = host.begin(['--help']);
  child.kill('SIGSTOP');
  writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
  const { status, stderr } = host.run(['delete', '--force', 'kept']);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^cannot remove the cgroup .*kept: EBUSY.*see .*cgroup\.procs, then delete again\)\n$/,
  );
  child.kill('SIGKILL');
  assert.equal(host.run(['delete', '--force', 'kept']).status, 0);
  assert.deepEqual(await host.leftovers('kept'), []);
});

test('a path that is none is refused', async () => {
  const c = host.create('bad', { bundle: withPath('a:b:c') });
  assert.equal(await c.created, 1);
  assert.match(c.text('stderr'), /linux\.cgroupsPath names no valid systemd slice: "a"/);
  assert.equal(readdirSync(join(host.folder, 'domains')).length, 0);
});
