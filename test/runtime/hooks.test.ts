// SPDX-License-Identifier: MIT
// Hooks, with the order and the failure rules of runtime-spec 1.3.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Created, Host, STATE_ROOT } from '../fixtures/host.ts';
import { processJson } from '../fixtures/spec.ts';

const host = new Host();
const LOG = join(host.folder, 'hooks.log');

type Hook = { path: string; args?: string[]; env?: string[]; timeout?: number };
type HookMap = Record<string, Hook[]>;

const sh = (script: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  ...more,
});
/** A hook that writes its name and its input as one line. */
const note = (name: string): Hook =>
  sh(`read -r s; echo "${name} $s" >>${LOG}`, { env: ['PATH=/bin:/usr/bin'] });

function log(): string[] {
  const lines = existsSync(LOG) ? readFileSync(LOG, 'utf8').trim().split('\n') : [];
  rmSync(LOG, { force: true });
  return lines;
}
const names = (): string[] => log().map((line) => line.split(' ')[0] ?? '');

function create(
  id: string,
  hooks: HookMap,
  script = 'sleep 60',
  more: Record<string, unknown> = {},
): Created {
  return host.create(id, { bundle: host.script(script, { hooks, ...more }) });
}

async function gone(id: string): Promise<void> {
  assert.match(host.run(['state', id]).stderr, /container does not exist/);
  assert.deepEqual(await host.leftovers(id), []);
}

test('every hook in order, with the state of the container on stdin', async () => {
  const guest = (name: string): Hook =>
    sh(`read s; echo "${name} $(id -u) $0 $V $s" >>/tmp/log; chmod 666 /tmp/log`, {
      args: [
        'sh',
        '-c',
        `read s; echo "${name} $(id -u) $0 $V $s" >>/tmp/log; chmod 666 /tmp/log 2>/dev/null; true`,
        'zero',
      ],
      env: ['PATH=/bin', 'V= a  b '],
    });
  const hooks = {
    poststop: [note('poststop-1'), note('poststop-2')],
    poststart: [note('poststart')],
    startContainer: [guest('startContainer-1'), guest('startContainer-2')],
    createContainer: [guest('createContainer')],
    createRuntime: [note('createRuntime')],
    prestart: [note('prestart-1'), note('prestart-2')],
  };
  const process = processJson({
    args: ['/bin/sh', '-c', 'cat /tmp/log; cat'],
    user: { uid: 1000, gid: 1000 },
  });
  const c = create('order', hooks, '', { process, annotations: { 'a.b': 'c' } });
  assert.equal(await c.created, 0, c.text('stderr'));
  const pid = Number(readFileSync(c.pidFile, 'utf8'));
  assert.equal(host.run(['start', 'order']).status, 0);
  c.stdin.end();
  assert.equal(await c.exit, 0);
  const { bundle } = JSON.parse(host.run(['state', 'order']).stdout);
  assert.deepEqual(host.run(['delete', 'order']), { status: 0, stdout: '', stderr: '' });

  const state = (status: string, more: object) =>
    JSON.stringify({
      ociVersion: '1.3.0',
      id: 'order',
      status,
      ...more,
      bundle,
      annotations: { 'a.b': 'c' },
    });
  assert.deepEqual(log(), [
    `prestart-1 ${state('creating', { pid })}`,
    `prestart-2 ${state('creating', { pid })}`,
    `createRuntime ${state('creating', { pid })}`,
    `poststart ${state('running', { pid })}`,
    `poststop-1 ${state('stopped', {})}`,
    `poststop-2 ${state('stopped', {})}`,
  ]);
  // The shell turns each run of blanks in its variable into one.
  assert.deepEqual(c.text('stdout').trim().split('\n'), [
    `createContainer 0 zero  a  b  ${state('creating', { pid: 1 })}`,
    `startContainer-1 1000 zero  a  b  ${state('created', { pid: 1 })}`,
    `startContainer-2 1000 zero  a  b  ${state('created', { pid: 1 })}`,
  ]);
});

test('at prestart the monitor has its network namespace, the pid file is not there, and state says creating', async () => {
  const script = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
    stat -Lc %i /proc/$pid/ns/net /proc/self/ns/net >>${LOG}; grep -lx $pid ${host.folder}/pid* >>${LOG}; echo "$PATH" >>${LOG}
    VXN_CONFIG=${host.folder}/config.json ${host.runtime} --root ${STATE_ROOT} state early | grep -o '"status": "[a-z]*"' >>${LOG}`;
  const c = create('early', { prestart: [sh(script)] });
  assert.equal(await c.created, 0, c.text('stderr'));
  const [monitor, self, path, status] = log();
  const pid = readFileSync(c.pidFile, 'utf8');
  assert.equal(monitor, String(statSync(`/proc/${pid}/ns/net`).ino));
  assert.notEqual(monitor, self);
  assert.match(path ?? '', /^(\/\w+)+(:|$)/, 'without env of its own a hook has that of the runtime');
  assert.equal(status, '"status": "creating"');
  assert.equal(JSON.parse(host.run(['state', 'early']).stdout).status, 'created');
  host.run(['delete', '--force', 'early']);
});

for (const name of ['prestart', 'createRuntime']) {
  test(`${name} fails: so does create, everything is taken back, poststop runs`, async () => {
    const hooks = {
      [name]: [note('first'), sh('echo to-out; echo why >&2; exit 3'), note('never')],
      poststart: [note('poststart')],
      poststop: [note('poststop')],
    };
    const c = create('fails', hooks);
    assert.equal(await c.created, 1);
    await c.exit;
    assert.equal(
      c.text('stderr'),
      `error running ${name} hook #1: exit status 3, stdout: to-out, stderr: why\n`,
    );
    assert.equal(c.text('stdout'), '');
    assert.equal(existsSync(c.pidFile), false);
    assert.deepEqual(names(), ['first', 'poststop']);
    await gone('fails');
  });
}

for (const name of ['createContainer', 'startContainer', 'poststart']) {
  test(`${name} fails: so does start, the container is stopped and gone, poststop runs`, async () => {
    const hooks = { [name]: [sh('echo why >&2; exit 4')], poststop: [note('poststop')] };
    const c = create('fails', hooks, 'echo program; sleep 60');
    assert.equal(await c.created, 0, c.text('stderr'));
    const { status, stderr } = host.run(['start', 'fails']);
    assert.equal(status, 1);
    const where = name === 'poststart' ? 'stderr' : 'output';
    assert.equal(stderr, `error running ${name} hook #0: exit status 4, ${where}: why\n`);
    await c.exit;
    assert.equal(c.text('stdout'), name === 'poststart' ? 'program\n' : '');
    assert.deepEqual(names(), ['poststop']);
    await gone('fails');
    assert.match(host.run(['delete', 'fails']).stderr, /container does not exist/);
    assert.equal(host.run(['delete', '--force', 'fails']).status, 0);
  });
}

test('poststop fails: delete goes on, warns and succeeds', async () => {
  const c = create(
    'warns',
    {
      poststop: [
        sh('echo why; exit 5'),
        { path: '/no/hook' },
        { path: '/bin/true', args: ['x'.repeat(200_000)] },
        note('last'),
      ],
    },
    'true',
  );
  assert.equal(await c.created, 0);
  assert.equal(host.run(['start', 'warns']).status, 0);
  await c.exit;
  const { status, stdout, stderr } = host.run(['delete', 'warns']);
  assert.deepEqual([status, stdout], [0, '']);
  assert.equal(
    stderr,
    'warning: error running poststop hook #0: exit status 5, stdout: why\n' +
      'warning: error running poststop hook #1: exec /no/hook: no such file or directory\n' +
      'warning: error running poststop hook #2: exec /bin/true: spawn E2BIG\n',
  );
  assert.deepEqual(names(), ['last']);
  await gone('warns');
});

test('a hook that takes longer than its time-out is killed with all that it started', async () => {
  const c = create('late', { createRuntime: [sh('echo begun; sleep 31415 & sleep 31415', { timeout: 1 })] });
  assert.equal(await c.created, 1);
  await c.exit;
  assert.equal(
    c.text('stderr'),
    'error running createRuntime hook #0: hook ran past specified timeout of 1.0s, stdout: begun\n',
  );
  assert.deepEqual(host.processes('sleep 31415'), []);
  await gone('late');
});

test('a hook that floods its output, leaves a child or does not read its input delays nothing', async () => {
  const began = Date.now();
  const hooks = {
    prestart: [
      sh('head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2'),
      sh('sleep 20 & exit 0'),
      sh('exec <&-; true'),
    ],
    poststart: [sh('sleep 20 & exit 0')],
  };
  const c = create('flood', hooks);
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.equal(host.run(['start', 'flood']).status, 0);
  assert.ok(Date.now() - began < 15_000);
  assert.equal(host.run(['delete', '--force', 'flood']).status, 0);
});

test('a create that is killed in a hook leaves a container that is stopped and can be deleted', async () => {
  const c = create('killed', {
    prestart: [sh(`echo began >>${LOG}; sleep 20`)],
    poststop: [note('poststop')],
  });
  while (!existsSync(LOG)) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(JSON.parse(host.run(['state', 'killed']).stdout).status, 'creating');
  const { maker } = JSON.parse(readFileSync(host.places('killed').state, 'utf8'));
  process.kill(maker.pid, 'SIGKILL');
  assert.notEqual(await c.created, 0);
  assert.equal(JSON.parse(host.run(['state', 'killed']).stdout).status, 'stopped');
  assert.match(host.run(['start', 'killed']).stderr, /cannot start a container that has stopped/);
  assert.deepEqual(host.run(['delete', '--force', 'killed']), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(names(), ['began', 'poststop']);
  await gone('killed');
});

test('create refuses hooks that are none, and createContainer hooks that are not in the container', async () => {
  for (const [hooks, text] of [
    [
      { prestart: [{ path: 'bin/sh' }] },
      'config.json: hooks.prestart[0].path must be an absolute path, not "bin/sh"',
    ],
    [
      { createContainer: [{ path: '/usr/bin/nsenter' }] },
      'config.json: hooks.createContainer[0]: /usr/bin/nsenter is not in the container (a createContainer hook runs in the virtual machine; use createRuntime for a program of Dom0)',
    ],
  ] as const) {
    const c = create('refused', hooks as unknown as HookMap);
    assert.equal(await c.created, 1);
    assert.equal(c.text('stderr'), `${text}\n`);
    await gone('refused');
  }
});
