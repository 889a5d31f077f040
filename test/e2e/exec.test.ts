// SPDX-License-Identifier: MIT
// `ctr task exec`: further processes in one and the same machine.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertClean,
  dom0,
  dom0Exec,
  mustSh,
  type Outcome,
  removeTask,
  runtime,
  startsClean,
  waitFor,
} from './dom0.ts';

const ID = 'exec';

startsClean();
before(async () => {
  await dom0();
  await mustSh(`vctr run -d --env A=1 $IMAGE ${ID} /bin/sleep 3600`);
});
after(async () => {
  await mustSh(
    `ctr task kill -s SIGKILL ${ID} 2>/dev/null; ctr task rm -f ${ID} 2>/dev/null; ctr c rm ${ID} 2>/dev/null; true`,
  );
  await assertClean();
});

let made = 0;
const exec = (...args: string[]): Promise<Outcome> =>
  dom0Exec(['ctr', 'task', 'exec', '--exec-id', `e${made++}`, ...args]);
/** What runs in the guest, as `sleep N` of each process. */
const sleeping = async (): Promise<string> => (await exec(ID, 'ps', '-o', 'args')).stdout;

test('output, status, user and directory', async () => {
  const script = 'echo out; echo err >&2; exit 7';
  const show = 'echo "$A $(pwd) $(id -u):$(id -g) $(cat /proc/1/comm)"';
  const [own, other] = await Promise.all([
    exec(ID, '/bin/sh', '-c', script),
    exec('--user', '1000:1000', '--cwd', '/var', ID, 'sh', '-c', show),
  ]);
  assert.deepEqual(own, { status: 7, stdout: 'out\n', stderr: 'err\n' });
  assert.deepEqual(other, { status: 0, stdout: '1 /var 1000:1000 sleep\n', stderr: '' });
});

test('a program that is missing or may not be executed is named', async () => {
  // One after the other: a stock shim has one log for all execs of a container, and quotes its
  // last line.
  const missing = await exec(ID, 'nosuch');
  assert.notEqual(missing.status, 0);
  assert.match(missing.stderr, /executable file not found in \$PATH/);
  const forbidden = await exec(ID, '/etc/not-executable');
  assert.notEqual(forbidden.status, 0);
  assert.match(forbidden.stderr, /permission denied/);
});

test('killed: by a signal that it takes, by SIGKILL, by the death of its monitor', async () => {
  const traps = `trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done`;
  await mustSh(`
    ctr task exec -d --exec-id k1 ${ID} /bin/sh -c "${traps}"
    ctr task exec -d --exec-id k2 ${ID} /bin/sleep 2002
    ctr task exec -d --exec-id k3 ${ID} /bin/sleep 2003`);
  await waitFor(`vxn-oci-runtime --root $ROOT ps --format json ${ID} | jq -e 'length == 4'`);
  const listed = await mustSh(`ctr task ps ${ID} | awk 'NR > 1 { print $1 }' | sort -n`);
  const own = JSON.parse((await runtime('ps', '--format', 'json', ID)).stdout) as number[];
  assert.deepEqual(
    listed.trim().split('\n').map(Number),
    own.sort((a, b) => a - b),
  );
  // k2 and k3 have slept since; k1 answers TERM.
  await mustSh(`
    ctr task kill --exec-id k1 -s SIGTERM ${ID}
    ctr task kill --exec-id k2 -s SIGKILL ${ID}
    kill -9 $(pgrep -n -x vxn-exec)`);
  await waitFor(`vxn-oci-runtime --root $ROOT ps --format json ${ID} | jq -e 'length == 1'`);
  const left = await sleeping();
  assert.doesNotMatch(left, /sleep 200[23]|sleep 0\.1/);
  assert.match(left, /sleep 3600/);
});

test('the runtime in the foreground, on the side of containerd', async () => {
  const result = await runtime(
    'exec',
    '-e',
    'B=2',
    '-u',
    '5',
    ID,
    'sh',
    '-c',
    'echo "$A $B $(id -u)"; exit 4',
  );
  assert.deepEqual(result, { status: 4, stdout: '1 2 5\n', stderr: '' });
  const table = await runtime('ps', ID);
  assert.match(table.stdout, /^PID +KIND +PROGRAM\n\d+ +container +\/bin\/sleep\n$/);
});

test('an exec ends with its container, whose end it does not delay', async () => {
  await mustSh(`
    ctr task exec -d --exec-id last1 ${ID} /bin/sleep 2004
    ctr task exec -d --exec-id last2 ${ID} /bin/sh -c 'trap "" TERM; sleep 2005'
    ctr task kill -s SIGKILL ${ID}`);
  assert.equal(await removeTask(ID), 137);
  assert.equal(await mustSh('pgrep -x vxn-exec || true'), '');
});
