// SPDX-License-Identifier: MIT
// Marker guests on the real Xen, beyond what ../marker.test.ts has of them.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import {
  assertClean,
  dom0,
  IMAGE,
  mustSh,
  removeTask,
  runtime,
  startsClean,
  vctrRun,
  waitFor,
} from '../dom0.ts';
import { person } from '../terminal.ts';

const FLAGS = ['guest-protocol=marker', 'memory=128'].flatMap((a) => [
  '--annotation',
  `org.openembedded.vxn.${a}`,
]);
const ANNOTATIONS = FLAGS.join(' ');

const run = (id: string, script: string, flags: string[] = []) =>
  vctrRun(id, ['/bin/sh', '-c', script], [...FLAGS, ...flags]);

startsClean();
before(() => dom0());
after(assertClean);

suite('two at a time', { concurrency: 2 }, () => {
  test('arguments, environment, working directory and user arrive unchanged', async () => {
    const words = [
      'two words',
      `'single' "double" \`back\``,
      'line\nbreak',
      '$HOME $(id)',
      '',
      'ünïcødé 日本語 🚀',
      '\\n\\',
      '-x',
      '*',
    ];
    const script =
      'for w; do printf "%s\\0" "$w"; done; printf "%s|%s|%s" "$TRICKY" "$(pwd)" "$(id -u):$(id -g)"';
    const flags = ['--env', 'TRICKY=a b\'c"d$e', '--cwd', '/var', '--user', '1000:1000'];
    const result = await vctrRun('m-words', ['/bin/sh', '-c', script, 'sh', ...words], [...FLAGS, ...flags]);
    assert.equal(result.stderr, '');
    const parts = result.stdout.split('\0');
    assert.deepEqual(parts.slice(0, -1), words);
    assert.equal(parts.at(-1), 'a b\'c"d$e|/var|1000:1000');
  });

  test('a terminal: the console itself, and the status of the program', async () => {
    const program = 'tty; read x; echo got $x; exit 3';
    const p = await person(['vctr', 'run', '-t', '--rm', ...FLAGS, IMAGE, 'm-tty', '/bin/sh', '-c', program]);
    await p.sees(/^\/dev\/pts\/0\r/m);
    p.type('line\r');
    await p.sees(/^got line\r/m);
    await p.hears(/^exit 3$/m);
  });

  test('a guest that dies without a word, and one that panics', async () => {
    const sysrq = (key: string) => `echo ${key} >/proc/sysrq-trigger; sleep 60`;
    const [dead, panic] = await Promise.all([
      run('m-dead', sysrq('b'), ['--privileged']),
      run('m-panic', sysrq('c'), ['--privileged']),
    ]);
    assert.deepEqual([dead.status, dead.stdout], [255, '']);
    assert.match(dead.stderr, /^vxn: the guest rebooted without an exit status of its program/);
    assert.deepEqual([panic.status, panic.stdout], [255, '']);
    assert.match(panic.stderr, /^vxn: the guest kernel panicked: sysrq triggered crash/);
  });

  test('SIGKILL and SIGTERM end the domain, and so may somebody else', async () => {
    const start = (id: string) => mustSh(`vctr run -d ${ANNOTATIONS} $IMAGE ${id} /bin/sleep 600`);
    await Promise.all(['m-kill', 'm-term', 'm-gone'].map(start));
    assert.equal(JSON.parse((await runtime('state', 'm-kill')).stdout).status, 'running');
    await mustSh(`ctr task kill -s SIGKILL m-kill; ctr task kill -s SIGTERM m-term
    xl destroy "$(xl list | awk '/^vxn-m-gone/ { print $2 }')"`);
    assert.deepEqual(await Promise.all(['m-kill', 'm-term', 'm-gone'].map(removeTask)), [137, 143, 255]);
  });

  test('a container that is created waits: its domain is paused, its state created', async () => {
    const config = JSON.stringify({
      ociVersion: '1.1.0',
      root: { path: 'rootfs' },
      process: { args: ['/bin/sh', '-c', 'echo ran'], cwd: '/', user: { uid: 0, gid: 0 } },
      annotations: { 'org.openembedded.vxn.guest-protocol': 'marker' },
      linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
    });
    const script = `
    b=/var/tmp/vxn-test/m-wait; mkdir -p $b/rootfs/bin && cp /bin/busybox $b/rootfs/bin/sh
    printf %s "$CONFIG" >$b/config.json
    r="vxn-oci-runtime --root /run/vxn-marker"
    $r create --bundle $b m-wait </dev/null >$b/out 2>&1 || { cat $b/out; exit 9; }
    $r state m-wait | grep -c '"status": "created"'
    xl list | grep '^vxn-m-wait' | grep -c -- ' --p--- '
    $r start m-wait || exit 8`;
    assert.equal(await mustSh(script, { env: { CONFIG: config } }), '1\n1\n');
    await waitFor('vxn-oci-runtime --root /run/vxn-marker state m-wait | grep -q stopped');
    const rest = `
    b=/var/tmp/vxn-test/m-wait; r="vxn-oci-runtime --root /run/vxn-marker"
    cat $b/out; $r logs m-wait; $r logs --console m-wait | grep -c OUTPUT_START; $r delete m-wait; rm -r $b`;
    assert.equal(await mustSh(rest), 'ran\nran\n1\n');
  });
});
