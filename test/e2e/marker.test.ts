// SPDX-License-Identifier: MIT
// Marker guests on the real Xen: the lab's own images, which know nothing of vxn (lab/marker).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertClean, dom0, mustSh, removeTask, runtime, vctrRun, waitFor } from './dom0.ts';

const MARKER = ['--annotation', 'org.openembedded.vxn.guest-protocol=marker'];
const ANNOTATION = MARKER.join(' ');

const run = (id: string, script: string, flags: string[] = []) =>
  vctrRun(id, ['/bin/sh', '-c', script], [...MARKER, ...flags]);

before(() => dom0());
after(assertClean);

test('echo hello: the line and status 0', async () => {
  assert.deepEqual(await vctrRun('m-hello', ['/bin/echo', 'hello'], MARKER), {
    status: 0,
    stdout: 'hello\n',
    stderr: '',
  });
});

test('exit status 7; the guest is a domain of its own, its root image is shared', async () => {
  const script = 'cat /proc/sys/kernel/random/boot_id; ls -a / | grep -c vxn; exit 7';
  const results = await Promise.all([run('m-seven', script), run('m-eight', script)]);
  const outside = await mustSh('cat /proc/sys/kernel/random/boot_id');
  assert.deepEqual(
    results.map((r) => r.status),
    [7, 7],
  );
  const ids = results.map((r) => r.stdout.split('\n')[0]);
  assert.equal(new Set([...ids, outside.trim()]).size, 3);
  for (const { stdout } of results) assert.match(stdout, /\n0\n$/, 'nothing of ours is left in its root');
});

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
  const result = await vctrRun('m-words', ['/bin/sh', '-c', script, 'sh', ...words], [...MARKER, ...flags]);
  assert.equal(result.stderr, '');
  const parts = result.stdout.split('\0');
  assert.deepEqual(parts.slice(0, -1), words);
  assert.equal(parts.at(-1), 'a b\'c"d$e|/var|1000:1000');
});

test('256 KiB of lines come out intact', async () => {
  const { status, stdout } = await run('m-large', 'seq 1 45000');
  assert.equal(status, 0);
  assert.equal(stdout, Array.from({ length: 45000 }, (_, i) => `${i + 1}\n`).join(''));
});

test('a program that is not there', async () => {
  const { status, stdout } = await vctrRun('m-missing', ['/bin/nosuch'], MARKER);
  assert.equal(status, 127);
  assert.match(stdout, /no such file or directory/);
});

test('a guest that dies without a word, and one that panics', async () => {
  const privileged = ['--privileged'];
  const dead = await run('m-dead', 'echo b >/proc/sysrq-trigger; sleep 60', privileged);
  assert.deepEqual([dead.status, dead.stdout], [255, '']);
  assert.match(dead.stderr, /vxn: the guest rebooted without an exit status of its program/);
  const panic = await run('m-panic', 'echo c >/proc/sysrq-trigger; sleep 60', privileged);
  assert.deepEqual([panic.status, panic.stdout], [255, '']);
  assert.match(panic.stderr, /vxn: the guest kernel panicked: sysrq triggered crash/);
});

test('the program runs from start, and SIGKILL and SIGTERM end the domain', async () => {
  await mustSh(`ctr c create --runtime io.containerd.vxn.v2 ${ANNOTATION} $IMAGE m-idle /bin/sleep 600`);
  await mustSh('vctr task start -d m-idle');
  assert.equal(JSON.parse((await runtime('state', 'm-idle')).stdout).status, 'running');
  await mustSh('ctr task kill -s SIGKILL m-idle');
  assert.equal(await removeTask('m-idle'), 137);
  await mustSh(`vctr run -d ${ANNOTATION} $IMAGE m-term /bin/sleep 600`);
  await mustSh('ctr task kill -s SIGTERM m-term');
  assert.equal(await removeTask('m-term'), 143);
});

test('a container that is created waits: its domain is paused, its state created', async () => {
  const script = `
    b=/var/tmp/vxn-test/m-wait; mkdir -p $b/rootfs/bin && cp /bin/busybox $b/rootfs/bin/sh
    cat >$b/config.json <<'END'
{"ociVersion":"1.1.0","root":{"path":"rootfs"},"process":{"args":["/bin/sh","-c","echo ran"],"cwd":"/","user":{"uid":0,"gid":0}},
"annotations":{"org.openembedded.vxn.guest-protocol":"marker"},
"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"}]}}
END
    r="vxn-oci-runtime --root /run/vxn-marker"
    $r create --bundle $b m-wait </dev/null >$b/out 2>&1 || { cat $b/out; exit 9; }
    $r state m-wait | grep -c '"status": "created"'; xl list | grep '^vxn-m-wait' | grep -c -- ' --p--- '
    $r start m-wait; until grep -q stopped <<EOF
$($r state m-wait)
EOF
    do sleep 0.2; done
    cat $b/out; $r logs m-wait; $r logs --console m-wait | grep -c OUTPUT_START; $r timeline m-wait >&2; $r delete m-wait; rm -r $b`;
  assert.equal(await mustSh(script), '1\n1\nran\nran\n1\n');
});

test('the domain is destroyed by hand', async () => {
  await mustSh(`vctr run -d ${ANNOTATION} $IMAGE m-gone /bin/sleep 600`);
  await waitFor("xl list | grep -q '^vxn-m-gone'");
  await mustSh('xl destroy "$(xl list | awk \'/^vxn-m-gone/ { print $2 }\')"');
  assert.equal(await removeTask('m-gone'), 255);
});
