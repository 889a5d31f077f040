// SPDX-License-Identifier: MIT
// The doctor finds what is broken on purpose. Wrong settings need no Dom0:
// test/runtime/doctor.test.ts.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dom0, dom0Sh, mustSh, startsClean } from '../dom0.ts';

interface Finding {
  id: string;
  status: string;
  summary: string;
  advice?: string;
}

startsClean();
before(() => dom0());

const SETTINGS = '/etc/vxn/vxn.yaml';
// In place of the line that vxn-config wrote, if any: a key may be there once.
const set = (line: string): string =>
  `sed -i '/^${line.split(':', 1)[0]}:/d' ${SETTINGS}; echo '${line}' >>${SETTINGS}`;
const change = (line: string): [string, string] => [set(line), `cp /tmp/doctor.yaml ${SETTINGS}`];
const away = (file: string): [string, string] => [`mv ${file} ${file}.away`, `mv ${file}.away ${file}`];

interface Harm {
  name: string;
  /** What is done, and how it is undone. */
  does: string;
  undo: string;
  /** The check that tells, and what it says. */
  id: string;
  status: 'failed' | 'warning';
  summary: RegExp;
}

const harm = (
  name: string,
  [does, undo]: [string, string],
  id: string,
  status: Harm['status'],
  summary: RegExp,
): Harm => ({ name, does, undo, id, status, summary });

// Each row is one look of the doctor: what is broken there at a time is looked at by checks of its own.
const ROWS: Harm[][] = [
  [
    harm('no kernel', change('kernel: /no/vmlinux'), 'guest-kernel', 'failed', /\/no\/vmlinux is not there/),
    harm(
      'more memory than there is',
      change('memory: 1000000'),
      'memory',
      'failed',
      /MiB free in Xen, a container without limits takes 1000002/,
    ),
    harm('no helper', away('/usr/libexec/vxn/vxn-block'), 'helpers', 'failed', /vxn-block is missing/),
    harm(
      'no shim',
      away('/usr/bin/containerd-shim-vxn-v2'),
      'containerd',
      'failed',
      /does not find containerd-shim-vxn-v2/,
    ),
  ],
  [
    harm(
      'a kernel of rubbish',
      change('kernel: /usr/bin/jq'),
      'guest-kernel',
      'failed',
      /cannot be a pv guest/,
    ),
    harm(
      'an initramfs cut off',
      [
        `head -c 4000000 /usr/share/vxn/x86_64/initramfs.cpio >/tmp/doctor.cpio; ${set('initramfs: /tmp/doctor.cpio')}`,
        `rm /tmp/doctor.cpio; cp /tmp/doctor.yaml ${SETTINGS}`,
      ],
      'guest-initramfs',
      'failed',
      /is damaged/,
    ),
    harm('no xl', change('xl: /no/xl'), 'xl', 'failed', /\/no\/xl: command not found/),
    harm('no snapshot', away('/usr/libexec/vxn/snapshot'), 'snapshot', 'warning', /no start-up snapshot/),
    harm(
      'a run folder for all',
      ['chmod 755 /run/vxn', 'chmod 700 /run/vxn'],
      'run-dir',
      'failed',
      /others than root can look into \/run\/vxn/,
    ),
  ],
  [
    harm(
      'an initramfs for another kernel',
      [
        `sed 's/vermagic=6\\./vermagic=5./' /usr/share/vxn/x86_64/initramfs.cpio >/tmp/doctor.cpio; ${set('initramfs: /tmp/doctor.cpio')}`,
        `rm /tmp/doctor.cpio; cp /tmp/doctor.yaml ${SETTINGS}`,
      ],
      'guest-match',
      'failed',
      /the kernel is 6\.\S+, lib\/vxn\/modules\/\S+ is for 5\./,
    ),
    harm(
      'no driver',
      ['rmmod xen_netback', 'modprobe xen-netback'],
      'module-xen-netback',
      'warning',
      /not loaded/,
    ),
    harm(
      'a light Dom0',
      ['xl sched-credit2 -d 0 -w 256', 'xl sched-credit2 -d 0 -w 8192'],
      'dom0-weight',
      'warning',
      /has weight 256/,
    ),
    harm(
      'the fatal options table',
      [
        `cp /etc/containerd/config.toml /tmp/doctor.toml; printf '%s\\n' '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.vxn.options]' 'BinaryName = "/x"' >>/etc/containerd/config.toml`,
        'mv /tmp/doctor.toml /etc/containerd/config.toml',
      ],
      'containerd-cri',
      'failed',
      /runtime "vxn" has options/,
    ),
  ],
  // A warning alone does not make the doctor fail; the rest is well again.
  [
    harm(
      'no snapshot, alone',
      away('/usr/libexec/vxn/snapshot'),
      'snapshot',
      'warning',
      /no start-up snapshot/,
    ),
  ],
];

test('what is broken on purpose is found, and what to do is said', async () => {
  const looks = ROWS.map((row, i) => {
    const [does, undo] = [row.map((h) => h.does), row.map((h) => h.undo)].map((commands) =>
      commands.join('; '),
    );
    return `${does}; vxn-oci-runtime doctor --json >/tmp/doctor.${i} 2>/dev/null; echo $?; ${undo}`;
  });
  const script = `cp ${SETTINGS} /tmp/doctor.yaml; ${looks.join('\n')}`;
  const { stdout, stderr } = await dom0Sh(script, { timeoutMs: 480_000 });
  assert.equal(stderr, '');
  const statuses = stdout.trim().split('\n').map(Number);
  for (const [i, row] of ROWS.entries()) {
    const { checks } = JSON.parse(await mustSh(`cat /tmp/doctor.${i}; rm /tmp/doctor.${i}`)) as {
      checks: Finding[];
    };
    for (const { name, id, status, summary } of row) {
      const finding = checks.find((check) => check.id === id);
      assert.equal(finding?.status, status, `${name}: ${JSON.stringify(finding)}`);
      assert.match(finding?.summary ?? '', summary, name);
      assert.match(finding?.advice ?? '', /^[^\n]{5,}$/, name);
    }
    const failed = row.some(({ status }) => status === 'failed');
    assert.equal(statuses[i], failed ? 1 : 0, row[0]?.name);
    if (row === ROWS.at(-1))
      assert.deepEqual(
        checks.filter((check) => check.status !== 'ok' && check.status !== 'skipped').map(({ id }) => id),
        row.map(({ id }) => id),
      );
  }
});
