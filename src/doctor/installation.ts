// SPDX-License-Identifier: MIT
// vxn's own parts: settings, helpers, the programs that it calls, its folders, node.
import { dirname, join } from 'node:path';
import { type Check, failed, firstLine, isMarker, ok, type Patient, skipped, warning } from './check.ts';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;
const MIB = 1 << 20;

const settings: Check = {
  id: 'settings',
  look({ host, settingsError }) {
    if (settingsError !== undefined)
      return failed(
        settingsError,
        'correct the settings; docs/annotations.md and `vxn-config explain defaults` list them',
      );
    return ok(
      host.stat('/etc/vxn/vxn.yaml') === undefined
        ? 'no /etc/vxn/vxn.yaml: the defaults'
        : '/etc/vxn/vxn.yaml is in order',
    );
  },
};

const HELPERS: readonly (readonly [name: string, what: string])[] = [
  ['vxn-monitor', 'every container'],
  ['vxn-block', 'root disks'],
  ['vxn-vif', 'networks'],
  ['vxn-sendtty', 'terminals'],
  ['vxn-seccomp', 'seccomp profiles'],
];

// It goes onto the root disk.
const MARKER_HELPERS = [['vxn-agent', 'marker guests']] as const;

function lookAtHelper({ host, config, version }: Patient, name: string, what: string): string | undefined {
  const file = join(config.libexecDir, name);
  const facts = host.stat(file);
  if (facts === undefined) return `${file} is missing (${what})`;
  if (!facts.executable) return `${file} is not executable`;
  const { status, stdout, stderr } = host.run(file, ['--version']);
  const own = /^vxn-\S+ version (\S+)$/.exec(stdout.toString().trim())?.[1];
  if (status !== 0 || own === undefined)
    return `${file} does not run: ${firstLine(stderr) || `status ${status}`}`;
  return own === version ? undefined : `${file} is version ${own}, the runtime is ${version}`;
}

const helpers: Check = {
  id: 'helpers',
  look(patient) {
    const all = [...HELPERS, ...(isMarker(patient) ? MARKER_HELPERS : [])];
    const wrong = all.flatMap(([name, what]) => lookAtHelper(patient, name, what) ?? []);
    if (wrong.length > 0 && wrong.every((what) => what.includes('vxn-seccomp is missing')))
      return warning(
        `${wrong.join('; ')}: containers with one are refused`,
        'install it, or run containers without a profile',
      );
    if (wrong.length > 0)
      return failed(
        wrong.join('; '),
        'install all of vxn again, from one build; libexecDir in /etc/vxn/vxn.yaml says where it is',
      );
    return ok(`${all.map(([name]) => name).join(', ')}: version ${patient.version}`);
  },
};

const mke2fs: Check = {
  id: 'mke2fs',
  look(patient) {
    const { host, config } = patient;
    const { missing, stdout, stderr } = host.run(config.mke2fs, ['-V']);
    if (missing) return failed(`${config.mke2fs}: command not found`, 'install e2fsprogs');
    const [, version, major, minor] = /mke2fs ((\d+)\.(\d+)\S*)/.exec(stderr + stdout.toString()) ?? [];
    if (version === undefined)
      return failed(
        `${config.mke2fs} -V does not say its version`,
        'install e2fsprogs; busybox has no mke2fs that can do it',
      );
    if (Number(major) * 1000 + Number(minor) < 1043)
      return failed(`mke2fs ${version} cannot copy a folder`, 'install e2fsprogs 1.43 or newer');
    if (host.which('debugfs', PATH) === undefined) {
      const advice = 'install e2fsprogs completely';
      return isMarker(patient)
        ? failed('debugfs is not here: no marker guest gets its program', advice)
        : warning('debugfs is not here: images whose root directory is not root:root 0755 fail', advice);
    }
    return ok(`mke2fs ${version}`);
  },
};

/** A folder itself, or the nearest one around it that exists. */
function existing({ host }: Patient, folder: string): string {
  let at = folder;
  while (host.stat(at) === undefined && at !== '/') at = dirname(at);
  return at;
}

const runDir: Check = {
  id: 'run-dir',
  look(patient) {
    const { host, config } = patient;
    const facts = host.stat(config.runDir);
    if (facts !== undefined && facts.kind !== 'folder')
      return failed(`${config.runDir} is not a folder`, 'remove it, or set runDir in /etc/vxn/vxn.yaml');
    if (facts !== undefined && (facts.uid !== 0 || (facts.mode & 0o077) !== 0)) {
      return failed(
        `others than root can look into ${config.runDir} (mode ${facts.mode.toString(8)}, owner ${facts.uid})`,
        `chown 0:0 ${config.runDir}; chmod 700 ${config.runDir}`,
      );
    }
    const type = host.fileSystem(existing(patient, config.runDir))?.type;
    if (type === TMPFS || type === RAMFS)
      return ok(`${config.runDir} is on a tmpfs${facts === undefined ? ', and made when needed' : ''}`);
    return warning(
      `${config.runDir} is not on a tmpfs: what is there of containers survives a boot, the containers do not`,
      'set runDir in /etc/vxn/vxn.yaml to a folder below /run',
    );
  },
};

const libDir: Check = {
  id: 'lib-dir',
  look(patient) {
    const { host, config } = patient;
    const free = host.fileSystem(existing(patient, config.libDir))?.free;
    if (free === undefined)
      return failed(`${config.libDir} cannot be looked at`, 'set libDir in /etc/vxn/vxn.yaml');
    const mib = Math.floor(free / MIB);
    // Root disks are sparse, but a container may fill its own.
    if (mib >= config.rootFree) return ok(`${mib} MiB free for root disks in ${config.libDir}`);
    return warning(
      `${mib} MiB free for root disks in ${config.libDir}, a container may write ${config.rootFree}`,
      'make room, or set libDir or rootFree in /etc/vxn/vxn.yaml',
    );
  },
};

const node: Check = {
  id: 'node',
  look: ({ host }) =>
    Number(host.node.version.split('.')[0]) >= 20
      ? ok(`node ${host.node.version}`)
      : failed(`node ${host.node.version} is too old`, 'install node 20 or newer'),
};

const snapshot: Check = {
  id: 'snapshot',
  look({ host, script }) {
    const folder = join(dirname(script), 'snapshot');
    const same = (link: string, file: string): boolean => {
      const [a, b] = [host.stat(join(folder, link)), host.stat(file)];
      return a !== undefined && a.identity === b?.identity;
    };
    const make = `run ${join(dirname(script), 'vxn-snapshot')}: it halves the time of every call`;
    if (host.stat(join(folder, 'blob')) === undefined) {
      if (host.node.ownSnapshot) return skipped('node has a start-up snapshot of its own', make);
      return warning('no start-up snapshot: every call takes twice as long as it could', make);
    }
    if (same('node', host.node.path) && same('script', script))
      return ok('the start-up snapshot fits node and script');
    return warning('the start-up snapshot is of another node or script, and not used', make);
  },
};

export const INSTALLATION_CHECKS: readonly Check[] = [
  settings,
  helpers,
  mke2fs,
  runDir,
  libDir,
  node,
  snapshot,
];
