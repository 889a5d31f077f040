// SPDX-License-Identifier: MIT
// Seccomp, sysctls and devices in a real guest. The engines' own profiles are in docker.test.ts and podman.test.ts.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { ensureRootfs, keysAndValues, ROOTFS, runSpec, spec } from './bundle.ts';
import { assertClean, dom0, startsClean, vctrRun } from './dom0.ts';

let lab: Lab;

startsClean();
before(async () => {
  lab = await dom0();
  await ensureRootfs();
});
after(assertClean);

suite('side by side', { concurrency: 3 }, () => {
  test('a profile of its own, sysctls, devices where nothing is mounted on /dev', async () => {
    const config = spec(`
    echo "mkdir=$(mkdir /tmp/x 2>&1 | sed 's/.*: //')"; echo "chroot=$(chroot / true 2>&1 | sed 's/.*: //')"
    mknod /tmp/n p; echo "killed=$?"; echo "mode=$(sed -n 's/^Seccomp:.//p' /proc/self/status)"
    echo "caps=$(sed -n 's/^CapEff:.//p' /proc/self/status)"
    echo "somaxconn=$(cat /proc/sys/net/core/somaxconn)"; echo "forward=$(cat /proc/sys/net/ipv4/conf/lo/forwarding)"
    echo "msgmax=$(cat /proc/sys/kernel/msgmax)"; echo "swappiness=$(cat /proc/sys/vm/swappiness)"
    cd /dev; for d in null zero full random urandom tty; do echo "$d=$(stat -c '%A %t %T' $d)"; done
    for l in ptmx fd stdin stdout stderr; do echo "$l=$(readlink $l)"; done
    echo "fuse=$(stat -c '%A %t %T %u %g' fuse)"; echo "disk=$(dd if=disk of=/dev/null 2>&1 | sed 's/.*: //' | head -n 1)"
    echo gone >null; echo "zeros=$(head -c 5 zero | wc -c)"; echo "random5=$(head -c 5 urandom | wc -c)"
    echo "root=$(touch /x 2>&1 | sed 's/.*: //')"; echo "oom=$(cat /proc/self/oom_score_adj)"`);
    const rule = (names: string[], action: string, more: object = {}) => ({ names, action, ...more });
    Object.assign(config, {
      root: { path: ROOTFS, readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['newinstance', 'ptmxmode=0666'],
        },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
      ],
    });
    Object.assign(config.process, { oomScoreAdj: 200, user: { uid: 0, gid: 0 } });
    Object.assign(config.linux, {
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
        syscalls: [
          rule(['mkdir', 'mkdirat', 'no_such_call'], 'SCMP_ACT_ERRNO'),
          rule(['chroot'], 'SCMP_ACT_ERRNO', { errnoRet: 38 }),
          rule(['mknod', 'mknodat'], 'SCMP_ACT_KILL_PROCESS', {
            // S_IFMT of the mode is S_IFIFO; mknodat has the mode one place further on.
            args: [{ index: 1, value: 0o170000, valueTwo: 0o010000, op: 'SCMP_CMP_MASKED_EQ' }],
          }),
          rule(['mknodat'], 'SCMP_ACT_KILL_PROCESS'),
        ],
      },
      sysctl: {
        'net.core.somaxconn': '1234',
        'net/ipv4/conf/lo/forwarding': '1',
        'kernel.msgmax': '9000',
        // Not in a namespace: no other runtime could.
        'vm.swappiness': '17',
      },
      devices: [
        { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 5, gid: 6 },
        { path: '/dev/disk', type: 'b', major: 8, minor: 0 },
      ],
    });
    const { status, stdout, stderr } = await runSpec(lab, 'security', config);
    assert.equal(status, 0, stdout + stderr);
    assert.deepEqual(keysAndValues(stdout), {
      mkdir: 'Operation not permitted',
      chroot: 'Function not implemented',
      killed: '159',
      mode: '2',
      caps: '00000000000404eb',
      somaxconn: '1234',
      forward: '1',
      msgmax: '9000',
      swappiness: '17',
      null: 'crw-rw-rw- 1 3',
      zero: 'crw-rw-rw- 1 5',
      full: 'crw-rw-rw- 1 7',
      random: 'crw-rw-rw- 1 8',
      urandom: 'crw-rw-rw- 1 9',
      tty: 'crw-rw-rw- 5 0',
      ptmx: 'pts/ptmx',
      fd: '/proc/self/fd',
      stdin: '/proc/self/fd/0',
      stdout: '/proc/self/fd/1',
      stderr: '/proc/self/fd/2',
      fuse: 'crw-r----- a e5 5 6',
      disk: 'No such device or address',
      zeros: '5',
      random5: '5',
      root: 'Read-only file system',
      oom: '200',
    });
  });

  test("containerd's default profile: programs work, what it forbids fails, a killed program ends with 159", async () => {
    const script =
      'grep ^Seccomp: /proc/self/status; ls / | grep -c .; (sleep 0.1 & wait); unshare -U true && echo unshared; echo done';
    const profile = vctrRun('profile', ['/bin/sh', '-c', script], ['--seccomp']);
    const config = spec('');
    config.process.args = ['/bin/mkdir', '/tmp/x'];
    Object.assign(config.linux, {
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }],
      },
    });
    const killed = runSpec(lab, 'killed', config);
    const { status, stdout, stderr } = await profile;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Seccomp:\t2\n\d+\ndone\n$/);
    assert.match(stderr, /Operation not permitted/);
    assert.equal((await killed).status, 159);
  });

  test("a sysctl that the guest's kernel has not is refused", async () => {
    const config = spec('echo never');
    Object.assign(config.linux, { sysctl: { 'kernel.no_such': '1' } });
    const { status, stdout, stderr } = await runSpec(lab, 'refused', config);
    assert.notEqual(status, 0);
    assert.equal(stdout, '');
    assert.ok(stderr.includes("sysctl kernel.no_such: the guest's kernel has no such parameter"), stderr);
  });
});
