// SPDX-License-Identifier: MIT
// What config.json asks for, as the program sees it in a real guest.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { ensureRootfs, keysAndValues, ROOTFS, runSpec, spec } from './bundle.ts';
import { assertClean, dom0, mustSh, startsClean } from './dom0.ts';

let lab: Lab;

startsClean();
before(async () => {
  lab = await dom0();
  await ensureRootfs();
});
after(assertClean);

/** Runs a script and gives its output as KEY=value pairs. */
async function facts(name: string, config: unknown): Promise<Record<string, string>> {
  const { status, stdout, stderr } = await runSpec(lab, name, config);
  assert.equal(status, 0, `${stdout}${stderr}`);
  return keysAndValues(stdout);
}

suite('what the program sees', { concurrency: 3 }, () => {
  test('user, groups, umask, limits, capabilities, no_new_privs, oom score, hostname, cwd', async () => {
    const config = spec(`
      echo "id=$(id -u):$(id -g):$(id -G)"; echo "umask=$(umask)"; echo "nofile=$(ulimit -Sn):$(ulimit -Hn)"
      grep -E '^(CapBnd|CapEff|CapPrm|CapInh|CapAmb|NoNewPrivs)' /proc/self/status | tr -d '\\t' | tr ':' '='
      echo "oom=$(cat /proc/self/oom_score_adj)"; echo "host=$(hostname)"; echo "domain=$(cat /proc/sys/kernel/domainname)"
      echo "cwd=$(pwd)"; echo "pid=$$"; echo "home=$HOME"`);
    const caps = ['CAP_NET_BIND_SERVICE', 'CAP_KILL'];
    Object.assign(config, { domainname: 'example.test' });
    Object.assign(config.process, {
      user: { uid: 1000, gid: 1001, additionalGids: [5, 70000], umask: 0o027 },
      cwd: '/made/for/me',
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
      capabilities: {
        bounding: [...caps, 'CAP_CHOWN'],
        effective: caps,
        permitted: caps,
        inheritable: caps,
        ambient: ['CAP_KILL'],
      },
      noNewPrivileges: true,
      oomScoreAdj: 123,
    });
    const f = await facts('process', config);
    assert.deepEqual(f, {
      id: '1000:1001:1001 5 70000',
      umask: '0027',
      nofile: '100:200',
      CapInh: '0000000000000420',
      CapPrm: '0000000000000020',
      CapEff: '0000000000000020',
      CapBnd: '0000000000000421',
      CapAmb: '0000000000000020',
      NoNewPrivs: '1',
      oom: '123',
      host: 'vxn-test',
      domain: 'example.test',
      cwd: '/made/for/me',
      pid: '1',
      home: '/',
    });
  });

  test('mounts, devices, masked and read-only paths, sysctl, read-only root', async () => {
    const config = spec(`
      for m in /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /tmp; do
        echo "$m=$(awk -v m=$m '$2 == m { print $3 }' /proc/mounts)"; done
      echo "tmpsize=$(df -k /tmp | awk 'NR == 2 { print $2 }')"
      echo "root=$(touch /x 2>&1 | sed 's/.*: //')"; echo "tmp=$(touch /tmp/x && echo writable)"
      echo "null=$(echo gone >/dev/null && stat -c %F:%t:%T /dev/null)"; echo "loopdev=$(stat -c %F:%t:%T:%a /dev/thing)"
      echo "ptmx=$(readlink /dev/ptmx)"; echo "fd=$(readlink /dev/fd)"
      echo "masked=$(cat /proc/kcore 2>/dev/null | head -c 1 | wc -c):$(ls /sys/firmware 2>/dev/null | wc -l)"
      echo "readonly=$(echo 0 2>/dev/null >/proc/sys/kernel/panic && echo writable || echo refused)"
      echo "sysctl=$(cat /proc/sys/kernel/msgmax)"`);
    Object.assign(config, { root: { path: ROOTFS, readonly: true } });
    (config.mounts as object[]).push({
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['size=1m', 'mode=1777'],
    });
    Object.assign(config.linux, {
      maskedPaths: ['/proc/kcore', '/sys/firmware', '/not/there'],
      readonlyPaths: ['/proc/sys', '/not/there'],
      sysctl: { 'kernel.msgmax': '12345' },
      devices: [{ path: '/dev/thing', type: 'c', major: 1, minor: 5, fileMode: 0o640, uid: 0, gid: 0 }],
    });
    const f = await facts('mounts', config);
    assert.deepEqual(f, {
      '/proc': 'proc',
      '/dev': 'tmpfs',
      '/dev/pts': 'devpts',
      '/dev/shm': 'tmpfs',
      '/dev/mqueue': 'mqueue',
      '/sys': 'sysfs',
      '/sys/fs/cgroup': 'cgroup2',
      '/tmp': 'tmpfs',
      tmpsize: '1024',
      root: 'Read-only file system',
      tmp: 'writable',
      null: 'character special file:1:3',
      loopdev: 'character special file:1:5:640',
      ptmx: 'pts/ptmx',
      fd: '/proc/self/fd',
      masked: '0:0',
      readonly: 'refused',
      sysctl: '12345',
    });
  });

  test('bind mounts are read-only copies, below the root whatever its links say; the root disk has everything; the bundle stays', async () => {
    await mustSh(`
      cd /var/tmp/vxn-test && rm -rf shared odd && mkdir -p shared/sub && echo one >shared/a && echo two >shared/sub/b &&
      ln -s /etc/shadow shared/escape && chown 7:8 shared/a && chmod 640 shared/a &&
      cp -a ${ROOTFS} odd && ln -s ../../../../run/vxn/trap odd/out && mkdir odd/o && cd odd/o &&
      echo x >file && chown 1234:70000 file && chmod 4751 file && ln file hard && ln -s file soft && mknod dev c 10 200 && mkfifo pipe &&
      mkdir sticky && chmod 1777 sticky && truncate -s 300M holes && touch -d @86400 old && chmod 711 .. && chown 5:6 ..`);
    const sum = 'cd /var/tmp/vxn-test/odd && find . -printf "%p %m %U %G %s %l %T@ %n\\n" | sort | md5sum';
    const before = await mustSh(sum);
    const config = spec(`
      echo "bound=$(cat /etc/one)"; echo "tree=$(cat /mnt/sub/b)"; echo "link=$(readlink /mnt/escape)"
      echo "owner=$(stat -c %u:%g:%a /mnt/a)"; echo "write=$( (echo x >/etc/one) 2>&1 | sed 's/.*: //')"
      echo "write2=$( (echo x >/mnt/sub/b) 2>&1 | sed 's/.*: //')"; echo "trap=$(cat /out/b):$(ls /run/vxn/trap)"
      cd /o; echo "file=$(stat -c %u:%g:%a:%h file)"; echo "hard=$([ file -ef hard ] && echo same)"; echo "soft=$(readlink soft)"
      echo "dev=$(stat -c %F:%t:%T dev)"; echo "pipe=$(stat -c %F pipe)"; echo "sticky=$(stat -c %a sticky)"
      echo "holes=$(stat -c %s holes):$([ $(stat -c %b holes) -lt 64 ] && echo sparse)"; echo "old=$(stat -c %Y old)"; echo "root=$(stat -c %u:%g:%a /)"
      echo "free=$([ $(df -k / | awk 'NR == 2 { print $4 }') -gt 500000 ] && echo enough)"; echo changed >/o/file`);
    Object.assign(config, { root: { path: '/var/tmp/vxn-test/odd' } });
    const bind = (source: string, destination: string) => ({
      destination,
      type: 'bind',
      source: `/var/tmp/vxn-test/shared${source}`,
      options: ['rbind', 'rw'],
    });
    (config.mounts as object[]).push(bind('/a', '/etc/one'), bind('', '/mnt'), bind('/sub', '/out'));
    assert.deepEqual(await facts('disk', config), {
      bound: 'one',
      tree: 'two',
      link: '/etc/shadow',
      owner: '7:8:640',
      write: 'Read-only file system',
      write2: 'Read-only file system',
      trap: 'two:b',
      file: '1234:70000:4751:2',
      hard: 'same',
      soft: 'file',
      dev: 'character special file:a:c8',
      pipe: 'fifo',
      sticky: '1777',
      holes: `${300 << 20}:sparse`,
      old: '86400',
      root: '5:6:711',
      free: 'enough',
    });
    assert.equal(await mustSh(sum), before);
    assert.equal(await mustSh('cat /var/tmp/vxn-test/shared/a /var/tmp/vxn-test/shared/sub/b'), 'one\ntwo\n');
  });
});

test('what a virtual machine cannot give is refused in one sentence, which ctr shows', async () => {
  const config = spec('true');
  const source = '/dev/null';
  (config.mounts as object[]).push({ destination: '/mnt', type: 'bind', source, options: ['bind'] });
  const { status, stderr } = await runSpec(lab, 'device', config);
  assert.notEqual(status, 0);
  assert.match(stderr, /is a device of the host/);
});
