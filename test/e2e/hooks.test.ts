// SPDX-License-Identifier: MIT
// Hooks under the stock shim, with a real guest for those that run in one.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { ensureRootfs, runSpec, spec } from './bundle.ts';
import { assertClean, dom0, mustSh, startsClean } from './dom0.ts';

const logOf = (test: string): string => `/var/tmp/vxn-test/hooks-${test}.log`;
let lab: Lab;

startsClean();
before(async () => {
  lab = await dom0();
  await ensureRootfs();
});
after(assertClean);

type Hook = { path: string; args: string[]; timeout?: number };
const sh = (script: string, timeout = 60): Hook => ({ path: '/bin/sh', args: ['sh', '-c', script], timeout });
const noteIn =
  (test: string) =>
  (name: string): Hook =>
    sh(`echo "${name} $(cat)" >>${logOf(test)}`);

async function log(test: string): Promise<{ name: string; status: string; pid: number | undefined }[]> {
  const text = await mustSh(`cat ${logOf(test)} 2>/dev/null; rm -f ${logOf(test)}`);
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { status, pid } = JSON.parse(line.slice(line.indexOf(' ')));
      return { name: line.split(' ')[0] ?? '', status, pid };
    });
}

const FAILURES: [name: string, hook: Hook, text: string][] = [
  [
    'prestart',
    sh('echo not today >&2; exit 3'),
    'error running prestart hook #0: exit status 3, stderr: not today',
  ],
  [
    'startContainer',
    sh('echo not here; exit 4'),
    'error running startContainer hook #0: exit status 4, output: not here',
  ],
];
suite('side by side', { concurrency: 3 }, () => {
  test('all six kinds in order; prestart can configure the container’s network namespace', async () => {
    const note = noteIn('all');
    const guest = (name: string): Hook =>
      sh(
        `echo "${name} $(id -u) $(uname -n) $(sed 's/.*"status":"\\([a-z]*\\)".*"pid":\\([0-9]*\\).*/\\1 \\2/')" >>/tmp/hooks`,
      );
    const config = spec('cat /tmp/hooks');
    Object.assign(config, {
      hooks: {
        prestart: [
          note('prestart'),
          sh(`pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); nsenter -t $pid -n ip link add vxnhook type dummy &&
          echo "netns {\\"status\\":\\"$(nsenter -t $pid -n ls /sys/class/net 2>/dev/null | wc -l)\\"}" >>${logOf('all')}`),
        ],
        createRuntime: [note('createRuntime')],
        createContainer: [guest('createContainer')],
        startContainer: [guest('startContainer')],
        poststart: [note('poststart')],
        poststop: [note('poststop-1'), sh('exit 1'), note('poststop-2')],
      },
    });
    const { status, stdout, stderr } = await runSpec(lab, 'hooks', config);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'createContainer 0 vxn-test creating 1\nstartContainer 0 vxn-test created 1\n');
    const lines = await log('all');
    assert.deepEqual(
      lines.map(({ name, status }) => `${name} ${status}`).filter((line) => !line.startsWith('netns')),
      [
        'prestart creating',
        'createRuntime creating',
        'poststart running',
        'poststop-1 stopped',
        'poststop-2 stopped',
      ],
    );
    assert.ok(
      lines.some(({ name }) => name === 'netns'),
      'the namespace could be entered',
    );
    const pids = lines.map(({ pid }) => pid);
    assert.ok(Number(pids[0]) > 1);
    assert.equal(lines.at(-1)?.pid, undefined);
  });

  for (const [name, hook, text] of FAILURES)
    test(`${name} fails: the engine is told why, nothing is left, poststop has run`, async () => {
      const config = spec('sleep 1000');
      Object.assign(config, { hooks: { [name]: [hook], poststop: [noteIn(name)('poststop')] } });
      const { status, stderr } = await runSpec(lab, `hook-fails-${name.toLowerCase()}`, config);
      assert.notEqual(status, 0);
      assert.ok(stderr.includes(text), stderr);
      assert.deepEqual(
        (await log(name)).map((line) => `${line.name} ${line.status}`),
        ['poststop stopped'],
      );
    });
});
