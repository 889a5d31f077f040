// SPDX-License-Identifier: MIT
// Bundles of our own in Dom0, for what ctr has no flag for.
import type { Lab } from '../../lab/lab.ts';
import { dom0Exec, IMAGE, mustSh, type Outcome } from './dom0.ts';

/** The rootfs of the test image, unpacked once per boot; bundles may copy it. */
export const ROOTFS = '/var/tmp/vxn-test/rootfs';

export async function ensureRootfs(): Promise<void> {
  await mustSh(`
    [ -d ${ROOTFS}/bin ] && exit 0
    mkdir -p ${ROOTFS} /tmp/image && ctr images mount ${IMAGE} /tmp/image >/dev/null &&
    cp -a /tmp/image/. ${ROOTFS}/ && ctr images unmount --rm /tmp/image >/dev/null`);
}

type Spec = Record<string, unknown> & { process: Record<string, unknown>; linux: Record<string, unknown> };

const CAPS = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
];

/** A plain configuration that runs a shell script. */
export function spec(script: string): Spec {
  return {
    ociVersion: '1.1.0',
    root: { path: ROOTFS },
    hostname: 'vxn-test',
    process: {
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/bin:/usr/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: CAPS, effective: CAPS, permitted: CAPS },
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      {
        destination: '/dev/mqueue',
        type: 'mqueue',
        source: 'mqueue',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
      },
    ],
    linux: {
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network' }],
    },
  };
}

/** Writes a configuration into a bundle folder of this name; its path. */
export async function bundle(lab: Lab, name: string, config: unknown): Promise<string> {
  const path = `/var/tmp/vxn-test/${name}`;
  const data = typeof config === 'string' ? config : JSON.stringify(config);
  await lab.pushFiles([{ path: `${path}/config.json`, mode: 0o644, data }]);
  return path;
}

/** Output of KEY=value lines as an object. */
export function keysAndValues(stdout: string): Record<string, string> {
  const lines = stdout.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Runs a configuration under the stock shim: `ctr run --rm --config`. */
export async function runSpec(lab: Lab, name: string, config: unknown): Promise<Outcome> {
  const path = await bundle(lab, name, config);
  return dom0Exec(['vctr', 'run', '--rm', '--config', `${path}/config.json`, name]);
}
