// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { OCI_VERSION } from './spec.ts';

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
const NONE_SUCH = ['nosuid', 'noexec', 'nodev'];

/** A configuration that this runtime accepts. It runs a shell in the root file system `rootfs`. */
export function defaultSpec(): object {
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'vxn',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
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
        options: [...NONE_SUCH, 'mode=1777', 'size=65536k'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: NONE_SUCH },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...NONE_SUCH, 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: [...NONE_SUCH, 'relatime', 'ro'],
      },
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

/**
 * `spec`: writes the default configuration to config.json in folder, an absolute path. Errors name
 * the folder as in shown. Throws USAGE when the file exists or the folder does not, HOST when the
 * file cannot be written.
 */
export function writeDefaultSpec(folder: string, shown = folder): void {
  const file = join(shown, 'config.json');
  try {
    const text = `${JSON.stringify(defaultSpec(), null, 2)}\n`;
    writeFileSync(join(folder, 'config.json'), text, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (errno(error) === 'EEXIST')
      throw new VxnError('USAGE', `${file} exists; nothing was written`, { hint: 'remove it first' });
    if (errno(error) === 'ENOENT')
      throw new VxnError('USAGE', `${shown}: no such directory`, { hint: 'is --bundle right?' });
    throw new VxnError('HOST', `cannot write ${file}: ${messageOf(error)}`);
  }
}
