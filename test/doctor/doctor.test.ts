// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CHECKS, count } from '../../src/doctor/doctor.ts';
import { bzImage, Dom0, elf, initramfs, kernelText, RELEASE, VERSION } from '../fixtures/doctor.ts';

const KERNEL = new Dom0().config.kernel;
const INITRAMFS = new Dom0().config.initramfs;

test('a Dom0 in good order', () => {
  const findings = new Dom0().findings();
  assert.deepEqual(
    findings.filter(({ status }) => status === 'failed' || status === 'warning'),
    [],
  );
  assert.deepEqual(
    findings.filter(({ status }) => status === 'skipped').map(({ id }) => id),
    ['bridge', 'marker-guest', 'containerd-cri', 'docker', 'podman'],
  );
});

test('a Dom0 for marker guests needs no agent in an initramfs', () => {
  const d = new Dom0();
  d.config.guestProtocol = 'marker';
  d.remove(INITRAMFS);
  for (const file of [d.config.markerInitramfs, d.config.markerRootfs])
    d.files.set(file, Buffer.from('theirs'));
  const answer = {
    missing: false,
    status: 0,
    stderr: '',
    stdout: Buffer.from(`vxn-agent version ${VERSION}\n`),
  };
  d.program('/usr/libexec/vxn/vxn-agent', ['--version'], answer);
  assert.deepEqual(
    d.findings().filter(({ status }) => status === 'failed' || status === 'warning'),
    [],
  );
  assert.equal(d.finding('guest-initramfs').status, 'skipped');
  assert.equal(d.finding('marker-guest').status, 'ok');
  d.remove('/usr/libexec/vxn/vxn-agent');
  d.remove('/usr/bin/debugfs');
  assert.match(d.finding('helpers').summary, /vxn-agent is missing \(marker guests\)/);
  assert.equal(d.finding('mke2fs').status, 'failed');
});

test('ids are one of a kind, in the form of a word, and every need is a check before it', () => {
  const ids = CHECKS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [i, check] of CHECKS.entries()) {
    assert.match(check.id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const need of check.needs ?? [])
      assert.ok(ids.slice(0, i).includes(need), `${check.id} needs ${need}`);
  }
});

const containerdDump = (body: string) => (d: Dom0) => d.answer('/usr/bin/containerd config dump', body);
const CRI = '[plugins."io.containerd.grpc.v1.cri".containerd]\ndefault_runtime_name = "runc"\n';
const runtime = (name: string, body: string): string =>
  `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]\n${body}\n`;
const RUNC = runtime('runc', 'runtime_type = "io.containerd.runc.v2"');
const dockerd = (json: string | undefined) => (d: Dom0) => {
  d.modes.set('/usr/bin/dockerd', 0o755);
  d.files.set('/usr/bin/dockerd', Buffer.from(''));
  if (json !== undefined) d.files.set('/etc/docker/daemon.json', Buffer.from(json));
};
const podman =
  (toml: string | undefined, file = '/etc/containers/containers.conf') =>
  (d: Dom0) => {
    d.modes.set('/usr/bin/podman', 0o755);
    d.files.set('/usr/bin/podman', Buffer.from(''));
    if (toml !== undefined) d.files.set(file, Buffer.from(toml));
  };
const kernel = (data: Buffer) => (d: Dom0) => void d.files.set(KERNEL, data);
const ramdisk = (data: Buffer) => (d: Dom0) => void d.files.set(INITRAMFS, data);

// What is done to the Dom0; the check that tells; its status, its summary, its advice.
const BROKEN: [
  name: string,
  harm: (d: Dom0) => void,
  id: string,
  status: string,
  summary: RegExp,
  advice?: RegExp,
][] = [
  [
    'not root',
    (d) => {
      d.euid = 1000;
    },
    'root',
    'failed',
    /not running as root/,
    /run it as root/,
  ],
  ['no Xen', (d) => d.remove('/sys/hypervisor'), 'xen', 'failed', /does not run on Xen/, /boot entry/],
  [
    'another hypervisor',
    (d) => void d.files.set('/sys/hypervisor/type', Buffer.from('kvm\n')),
    'xen',
    'failed',
    /is kvm, not Xen/,
  ],
  [
    'a guest',
    (d) => void d.files.set('/proc/xen/capabilities', Buffer.from('')),
    'dom0',
    'failed',
    /a guest, not Dom0/,
  ],
  ['no xenfs', (d) => d.remove('/proc/xen'), 'dom0', 'failed', /cannot be read/, /mount -t xenfs/],
  [
    'no gntdev',
    (d) => d.remove('/dev/xen/gntdev'),
    'xen-devices',
    'failed',
    /missing in \/dev\/xen: gntdev/,
    /modprobe -a xen-gntdev,/,
  ],
  [
    'no xen-blkback',
    (d) => d.remove('/sys/module/xen_blkback'),
    'module-xen-blkback',
    'failed',
    /not loaded/,
    /^modprobe xen-blkback/,
  ],
  [
    'no xen-netback',
    (d) => d.remove('/sys/module/xen_netback'),
    'module-xen-netback',
    'warning',
    /not loaded/,
  ],
  [
    'no mirred',
    (d) => d.remove('/sys/module/act_mirred'),
    'traffic-control',
    'warning',
    /^act_mirred missing: containers with a network do not start/,
    /CONFIG_NET_ACT_MIRRED/,
  ],
  [
    'xenstored down',
    (d) => d.answer('xenstore-read /local/domain/0/name', '', 1, 'xs_open: refused\n'),
    'xenstored',
    'failed',
    /does not answer: xs_open: refused/,
    /start the Xen services/,
  ],
  [
    'no xenstore-read',
    (d) => void d.programs.delete('xenstore-read /local/domain/0/name'),
    'xenstored',
    'failed',
    /command not found/,
    /install xenstore-utils/,
  ],
  [
    'no xenconsoled',
    (d) => void d.running.delete('xenconsoled'),
    'xenconsoled',
    'warning',
    /kernel logs are lost/,
  ],
  [
    'no xl',
    (d) => void d.programs.delete('xl info'),
    'xl',
    'failed',
    /xl: command not found/,
    /install the Xen tools/,
  ],
  [
    'an xl of another version',
    (d) => d.answer('xl info', '', 1, 'libxl: error: Cannot open\n'),
    'xl',
    'failed',
    /xl info fails: libxl: error/,
  ],
  [
    'no memory',
    (d) => d.answer('xl info', 'free_memory : 257\nxen_commandline : dom0_mem=1G\n'),
    'memory',
    'failed',
    /^257 MiB free in Xen, a container without limits takes 258$/,
    /give Dom0 less/,
  ],
  [
    'no memory yet',
    (d) => d.answer('xl info', 'free_memory : 3\nxen_commandline : \n'),
    'memory',
    'warning',
    /xl will shrink Dom0/,
  ],
  [
    'a light Dom0',
    (d) => d.answer('xl sched-credit2 -d 0', 'Name ID Weight Cap\nDomain-0 0 256 0\n'),
    'dom0-weight',
    'warning',
    /weight 256/,
    /-w 8192/,
  ],
  [
    'broken settings',
    (d) => {
      d.settingsError = '/etc/vxn/vxn.yaml: unknown key "memroy"';
    },
    'settings',
    'failed',
    /unknown key "memroy"/,
    /correct the settings/,
  ],
  [
    'no monitor',
    (d) => d.remove('/usr/libexec/vxn/vxn-monitor'),
    'helpers',
    'failed',
    /vxn-monitor is missing \(every container\)/,
    /install all of vxn again/,
  ],
  [
    'no vxn-seccomp',
    (d) => d.remove('/usr/libexec/vxn/vxn-seccomp'),
    'helpers',
    'warning',
    /vxn-seccomp is missing \(seccomp profiles\): containers with one are refused/,
  ],
  [
    'a helper that is not executable',
    (d) => void d.modes.set('/usr/libexec/vxn/vxn-block', 0o644),
    'helpers',
    'failed',
    /vxn-block is not executable/,
  ],
  [
    'a helper of another version',
    (d) => d.answer('/usr/libexec/vxn/vxn-block --version', 'vxn-block version 1.0.0\n'),
    'helpers',
    'failed',
    /vxn-block is version 1\.0\.0, the runtime is 1\.2\.3/,
  ],
  [
    'a helper without its library',
    (d) => d.answer('/usr/libexec/vxn/vxn-monitor --version', '', 127, 'error while loading libxenctrl.so\n'),
    'helpers',
    'failed',
    /does not run: error while loading libxenctrl\.so/,
  ],
  [
    'no mke2fs',
    (d) => void d.programs.delete('mke2fs -V'),
    'mke2fs',
    'failed',
    /mke2fs: command not found/,
    /install e2fsprogs/,
  ],
  [
    'an old mke2fs',
    (d) => d.answer('mke2fs -V', '', 0, 'mke2fs 1.42.9 (2013)\n'),
    'mke2fs',
    'failed',
    /1\.42\.9 cannot copy/,
  ],
  [
    "busybox's mke2fs",
    (d) => d.answer('mke2fs -V', '', 1, 'BusyBox v1.35\n'),
    'mke2fs',
    'failed',
    /does not say its version/,
  ],
  ['no debugfs', (d) => d.remove('/usr/bin/debugfs'), 'mke2fs', 'warning', /debugfs is not here/],
  [
    'a run folder on a disk',
    (d) => void d.fileSystems.set('/run/vxn', { type: 0xef53, free: 1 }),
    'run-dir',
    'warning',
    /not on a tmpfs/,
  ],
  [
    'a run folder for all',
    (d) => void d.modes.set('/run/vxn', 0o755),
    'run-dir',
    'failed',
    /others than root can look into \/run\/vxn \(mode 755, owner 0\)/,
    /chmod 700/,
  ],
  [
    'a full disk',
    (d) => void d.fileSystems.set('/var/lib/vxn', { type: 0xef53, free: 99 << 20 }),
    'lib-dir',
    'warning',
    /^99 MiB free/,
  ],
  [
    'an old node',
    (d) => {
      d.node.version = '18.1.0';
    },
    'node',
    'failed',
    /18\.1\.0 is too old/,
  ],
  [
    'no snapshot',
    (d) => d.remove('/usr/libexec/vxn/snapshot/blob'),
    'snapshot',
    'warning',
    /twice as long/,
    /run \/usr\/libexec\/vxn\/vxn-snapshot/,
  ],
  [
    'a snapshot of another node',
    (d) => void d.links.set('/usr/libexec/vxn/snapshot/node', '/usr/bin/old-node'),
    'snapshot',
    'warning',
    /another node or script/,
  ],
  ['no kernel', (d) => d.remove(KERNEL), 'guest-kernel', 'failed', /bzImage is not there/, /set kernel in/],
  [
    'a kernel that is none',
    kernel(Buffer.from('MZ nothing')),
    'guest-kernel',
    'failed',
    /is no kernel that Xen boots/,
  ],
  [
    'a kernel for another machine',
    kernel(elf({ machine: 183 })),
    'guest-kernel',
    'failed',
    /is for aarch64, this machine is x86_64/,
  ],
  [
    'a kernel without PV',
    kernel(bzImage(gzipSync(elf({ notes: [18], text: kernelText() })))),
    'guest-kernel',
    'failed',
    /bzImage 6\.12\.1-xen cannot be a pv guest/,
    /CONFIG_XEN_PV; or set guestType to pvh/,
  ],
  [
    'a kernel without PVH',
    (d) => {
      d.config.guestType = 'pvh';
      d.files.set(KERNEL, elf({ notes: [1], text: kernelText() }));
    },
    'guest-kernel',
    'failed',
    /ELF 6\.12\.1-xen cannot be a pvh guest/,
    /CONFIG_PVH/,
  ],
  ['no initramfs', (d) => d.remove(INITRAMFS), 'guest-initramfs', 'failed', /is not there/],
  ['an initramfs cut off', ramdisk(initramfs().subarray(0, 300)), 'guest-initramfs', 'failed', /is damaged/],
  [
    'an initramfs of text',
    ramdisk(Buffer.from('hello')),
    'guest-initramfs',
    'failed',
    /is damaged, or no cpio/,
  ],
  [
    'another /init',
    ramdisk(initramfs({ init: Buffer.from('#!/bin/sh\n') })),
    'guest-initramfs',
    'failed',
    /is not vxn-agent/,
  ],
  [
    'an /init that cannot run',
    ramdisk(initramfs({ mode: 0o644 })),
    'guest-initramfs',
    'failed',
    /has no program \/init/,
  ],
  [
    'an agent of another version',
    ramdisk(initramfs({ init: elf({ text: 'vxn-agent version 0.9.0\0' }) })),
    'guest-initramfs',
    'failed',
    /vxn-agent 0\.9\.0, the runtime is 1\.2\.3/,
  ],
  [
    'an agent for another machine',
    ramdisk(initramfs({ init: elf({ machine: 183, text: 'vxn-agent version 1.2.3\0' }) })),
    'guest-initramfs',
    'failed',
    /\/init in the initramfs is for aarch64/,
  ],
  [
    'modules of another kernel',
    ramdisk(initramfs({ release: '6.1.0' })),
    'guest-match',
    'failed',
    /the kernel is 6\.12\.1-xen, lib\/vxn\/modules\/1-disk\/00-xen-blkfront\.ko is for 6\.1\.0/,
    /from one build/,
  ],
  [
    'no modules for a kernel that needs them',
    ramdisk(initramfs({ modules: false })),
    'guest-match',
    'failed',
    /has xen-blkfront as a module/,
  ],
  [
    'no bridge for those that want one',
    (d) => {
      d.config.networkMode = 'bridge';
    },
    'bridge',
    'failed',
    /^there is no bridge xenbr0/,
    /^ip link add xenbr0 type bridge/,
  ],
  [
    'an interface that is no bridge',
    (d) => {
      d.config.networkMode = 'bridge';
      d.files.set('/sys/class/net/xenbr0/mtu', Buffer.from('1500'));
    },
    'bridge',
    'failed',
    /^xenbr0 is no bridge/,
  ],
  [
    'a bridge that is there',
    (d) => {
      d.config.networkMode = 'bridge';
      d.files.set('/sys/class/net/xenbr0/bridge/bridge_id', Buffer.from('x'));
    },
    'bridge',
    'ok',
    /^the bridge xenbr0 is there/,
  ],
  [
    'marker guests without blobs',
    (d) => {
      d.config.guestProtocol = 'marker';
    },
    'marker-guest',
    'failed',
    /^missing: /,
  ],
  [
    'no shim',
    (d) => d.remove('/usr/bin/containerd-shim-vxn-v2'),
    'containerd',
    'failed',
    /does not find containerd-shim-vxn-v2 in its PATH \(\/usr\/sbin:\/usr\/bin\)/,
    /link it/,
  ],
  [
    "no runc's shim",
    (d) => d.remove('/usr/bin/containerd-shim-runc-v2'),
    'containerd',
    'failed',
    /containerd-shim-runc-v2 is not in the PATH/,
  ],
  ['containerd down', (d) => void d.running.delete('containerd'), 'containerd', 'warning', /does not run/],
  ['no containerd', (d) => d.remove('/usr/bin/containerd'), 'containerd', 'skipped', /not installed/],
  [
    'a broken config.toml',
    (d) => d.answer('/usr/bin/containerd config dump', '', 1, 'containerd: toml: line 3\n'),
    'containerd-cri',
    'failed',
    /containerd: toml: line 3/,
  ],
  [
    'the options table that is fatal',
    containerdDump(
      `${CRI}${RUNC}${runtime('vxn', 'runtime_type = "io.containerd.vxn.v2"\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.vxn.options]\nBinaryName = "/x"')}`,
    ),
    'containerd-cri',
    'failed',
    /runtime "vxn" has options, so that every container of it fails/,
    /remove the options table/,
  ],
  [
    'a configuration without runc',
    containerdDump(`${CRI}${runtime('vxn', 'runtime_type = "io.containerd.vxn.v2"')}`),
    'containerd-cri',
    'failed',
    /default runtime "runc" is not among the runtimes/,
    /keep the runtime "runc"/,
  ],
  [
    'runtime_path on an old containerd',
    (d) => {
      d.answer('/usr/bin/containerd --version', 'containerd github.com/containerd/containerd 1.6.20 x\n');
      containerdDump(
        `${CRI}${RUNC}${runtime('vxn', 'runtime_type = "io.containerd.runc.v2"\nruntime_path = "/usr/bin/containerd-shim-vxn-v2"')}`,
      )(d);
    },
    'containerd-cri',
    'failed',
    /1\.6\.20 ignores runtime_path of runtime "vxn", and runs the real runc/,
  ],
  [
    'a CRI runtime in order',
    containerdDump(`${CRI}${RUNC}${runtime('vxn', 'runtime_type = "io.containerd.vxn.v2"\noptions = {}')}`),
    'containerd-cri',
    'ok',
    /^CRI runtime vxn$/,
  ],
  [
    'docker without a runtime of vxn',
    dockerd(undefined),
    'docker',
    'skipped',
    /--runtime io\.containerd\.vxn\.v2 works/,
    /"vxn": \{ "path"/,
  ],
  [
    'docker',
    dockerd('{"runtimes":{"vm":{"path":"/usr/bin/vxn-oci-runtime"}}}'),
    'docker',
    'ok',
    /--runtime vm$/,
  ],
  [
    'docker by type',
    dockerd('{"runtimes":{"vm":{"runtimeType":"io.containerd.vxn.v2"}}}'),
    'docker',
    'ok',
    /--runtime vm$/,
  ],
  [
    'docker with a path to nothing',
    dockerd('{"runtimes":{"vm":{"path":"/opt/vxn-oci-runtime"}}}'),
    'docker',
    'failed',
    /runtime "vm": \/opt\/vxn-oci-runtime is not there/,
  ],
  [
    'docker with a broken daemon.json',
    dockerd('{'),
    'docker',
    'failed',
    /daemon\.json: .*JSON/,
    /dockerd does not start/,
  ],
  [
    'podman without a runtime of vxn',
    podman(undefined),
    'podman',
    'skipped',
    /--runtime \/usr\/bin\/vxn-oci-runtime works/,
  ],
  [
    'podman',
    podman(
      '[engine]\nruntime_supports_json = ["vxn"]\n[engine.runtimes]\nvxn = ["/usr/bin/vxn-oci-runtime"]\n',
    ),
    'podman',
    'ok',
    /--runtime vxn run/,
  ],
  [
    'podman, in a drop-in, without JSON',
    podman(
      '[engine.runtimes]\nvxn = ["/usr/bin/vxn-oci-runtime"]\n',
      '/etc/containers/containers.conf.d/50-vxn.conf',
    ),
    'podman',
    'warning',
    /runtime_supports_json/,
  ],
  [
    'podman with a path to nothing',
    podman('[engine.runtimes]\nvxn = ["/opt/vxn-oci-runtime"]\n'),
    'podman',
    'failed',
    /\/opt\/vxn-oci-runtime is not there/,
  ],
  ['podman with a broken file', podman('[engine'), 'podman', 'failed', /containers\.conf: /],
];
for (const [name, harm, id, status, summary, advice] of BROKEN) {
  test(`doctor: ${name}`, () => {
    const dom0 = new Dom0();
    harm(dom0);
    const finding = dom0.finding(id);
    assert.equal(finding.status, status, JSON.stringify(finding));
    assert.match(finding.summary, summary);
    if (advice !== undefined) assert.match(finding.advice ?? '', advice);
    // Every failure says what to do, in one line.
    if (status === 'failed' || status === 'warning') assert.match(finding.advice ?? '', /^[^\n]{5,}$/);
    assert.doesNotMatch(finding.summary, /\n/);
  });
}

test('what rests on something that failed is skipped, and says so', () => {
  const dom0 = new Dom0();
  dom0.remove('/sys/hypervisor');
  assert.deepEqual(dom0.finding('xl'), { id: 'xl', status: 'skipped', summary: 'dom0 comes first' });
  assert.equal(count(dom0.findings()).failed, 1);
});

const KERNELS: [name: string, data: Buffer, summary: RegExp][] = [
  ['plain vmlinux', elf({ text: kernelText() }), /^ELF 6\.12\.1-xen, can be a pv guest$/],
  ['compressed vmlinux', gzipSync(elf({ text: kernelText() })), /^ELF 6\.12\.1-xen, can be a pv guest$/],
  [
    'bzImage of something else',
    bzImage(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0])),
    /^bzImage 6\.12\.1-xen; whether/,
  ],
];
for (const [name, data, summary] of KERNELS) {
  test(`doctor: a ${name}`, () => {
    const dom0 = new Dom0();
    dom0.files.set(KERNEL, data);
    assert.match(dom0.finding('guest-kernel').summary, summary);
  });
}

test('an initramfs behind microcode, and one without modules for a kernel with its own drivers', () => {
  const dom0 = new Dom0();
  dom0.files.set(
    INITRAMFS,
    Buffer.concat([initramfs({ init: Buffer.from('x') }), Buffer.alloc(40), gzipSync(initramfs())]),
  );
  assert.equal(dom0.finding('guest-initramfs').status, 'ok');
  dom0.files.set(INITRAMFS, initramfs({ modules: false }));
  dom0.files.set(KERNEL, elf({ text: `${kernelText()}blkfront: %s\0` }));
  assert.match(dom0.finding('guest-match').summary, /needs none/);
  assert.equal(RELEASE, '6.12.1-xen');
});
