// SPDX-License-Identifier: MIT
// How the engines are configured: containerd, docker, podman.
import { basename } from 'node:path';
import { parse } from 'smol-toml';
import { messageOf } from '../host/errors.ts';
import { type Check, failed, firstLine, ok, type Patient, skipped, warning } from './check.ts';

const SHIM = 'containerd-shim-vxn-v2';
const TYPE = 'io.containerd.vxn.v2';
const RUNTIME = 'vxn-oci-runtime';
const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const INSTALL = 'see vxn-config install';

type Table = Readonly<Record<string, unknown>>;

const table = (value: unknown): Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {};
const at = (value: unknown, ...keys: string[]): unknown => keys.reduce((v, key) => table(v)[key], value);

function containerdVersion({ host }: Patient): string | undefined {
  const program = host.which('containerd', USUAL_PATH);
  if (program === undefined) return undefined;
  return (
    /\b(\d+\.\d+\.\d+)/.exec(host.run(program, ['--version']).stdout.toString())?.[1] ?? 'of unknown version'
  );
}

const containerd: Check = {
  id: 'containerd',
  look(patient) {
    const { host } = patient;
    const version = containerdVersion(patient);
    if (version === undefined) return skipped('containerd is not installed');
    const daemon = host.processes('containerd')[0];
    // It looks for shims in its own PATH, not in a user's.
    const path = daemon?.environment.PATH ?? USUAL_PATH;
    const shim = host.which(SHIM, path);
    if (shim === undefined)
      return failed(
        `containerd ${version} does not find ${SHIM} in its PATH (${path})`,
        `link it into one of these folders; ${INSTALL}`,
      );
    if (host.which('containerd-shim-runc-v2', path) === undefined)
      return failed(
        `containerd-shim-runc-v2 is not in the PATH of containerd ${version}`,
        'install the runc shim of containerd',
      );
    if (daemon === undefined)
      return warning(`containerd ${version} does not run`, 'start it (systemctl start containerd)');
    return ok(`containerd ${version} finds ${shim}`);
  },
};

/** Is a before b? Of versions such as 1.6.20. */
function isBefore(a: string, b: string): boolean {
  const [x, y] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 3; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) < (y[i] ?? 0);
  return false;
}

/** Finds a fault in the CRI plugin's part of containerd's configuration, and says what to do. */
export function criFaults(config: unknown, version: string): { summary: string; advice: string }[] {
  const cri = ['io.containerd.cri.v1.runtime', 'io.containerd.grpc.v1.cri']
    .map((plugin) => table(at(config, 'plugins', plugin, 'containerd')))
    .find((section) => Object.keys(section).length > 0);
  if (cri === undefined) return [];
  const runtimes = table(cri.runtimes);
  const standard = typeof cri.default_runtime_name === 'string' ? cri.default_runtime_name : 'runc';
  const faults: { summary: string; advice: string }[] = [];
  if (runtimes[standard] === undefined && Object.keys(runtimes).length > 0)
    faults.push({
      summary: `the default runtime "${standard}" is not among the runtimes, so that the CRI plugin does not load`,
      advice: `keep the runtime "${standard}" beside vxn: on containerd 1.x an imported file replaces the whole section`,
    });
  for (const [name, value] of Object.entries(runtimes)) {
    const runtime = table(value);
    if (runtime.runtime_type === TYPE && Object.keys(table(runtime.options)).length > 0)
      faults.push({
        summary: `runtime "${name}" has options, so that every container of it fails (type with url runtimeoptions.v1.Options: not found)`,
        advice: `remove the options table of "${name}": runtime type ${TYPE} takes none`,
      });
    const own = typeof runtime.runtime_path === 'string' && basename(runtime.runtime_path) === SHIM;
    if (own && isBefore(version, '1.6.21'))
      faults.push({
        summary: `containerd ${version} ignores runtime_path of runtime "${name}", and runs the real runc`,
        advice: `use runtime_type = "${TYPE}" without options and runtime_path`,
      });
  }
  return faults;
}

/** Names of the CRI runtimes that lead to vxn. */
function criRuntimes(config: unknown): string[] {
  return ['io.containerd.cri.v1.runtime', 'io.containerd.grpc.v1.cri'].flatMap((plugin) =>
    Object.entries(table(at(config, 'plugins', plugin, 'containerd', 'runtimes'))).flatMap(
      ([name, value]) => {
        const runtime = table(value);
        const binary = at(runtime, 'options', 'BinaryName');
        const ours =
          runtime.runtime_type === TYPE || (typeof binary === 'string' && basename(binary) === RUNTIME);
        return ours ? [name] : [];
      },
    ),
  );
}

const cri: Check = {
  id: 'containerd-cri',
  needs: ['containerd'],
  look(patient) {
    const { host } = patient;
    const version = containerdVersion(patient);
    const { status, stdout, stderr } = host.run(host.which('containerd', USUAL_PATH) ?? 'containerd', [
      'config',
      'dump',
    ]);
    if (status !== 0)
      return failed(
        `containerd config dump: ${firstLine(stderr) || `status ${status}`}`,
        'correct /etc/containerd/config.toml',
      );
    let config: unknown;
    try {
      config = parse(stdout.toString());
    } catch (error) {
      return skipped(`containerd config dump: ${firstLine(messageOf(error))}`);
    }
    const [fault] = criFaults(config, version ?? '');
    if (fault !== undefined) return failed(fault.summary, fault.advice);
    const names = criRuntimes(config);
    if (names.length === 0)
      return skipped('no CRI runtime is vxn, which only Kubernetes needs', `for Kubernetes: ${INSTALL}`);
    return ok(`CRI runtime ${names.join(', ')}`);
  },
};

/** The first problem of a program that an engine is to start, or undefined. */
function programFault({ host }: Patient, file: string): string | undefined {
  const facts = host.stat(file);
  if (facts === undefined) return `${file} is not there`;
  return facts.executable ? undefined : `${file} is not executable`;
}

const DAEMON_JSON = '/etc/docker/daemon.json';

const docker: Check = {
  id: 'docker',
  look(patient) {
    const { host } = patient;
    if (host.which('dockerd', USUAL_PATH) === undefined) return skipped('docker is not installed');
    const text = host.read(DAEMON_JSON)?.toString();
    const add = `add to ${DAEMON_JSON}: "runtimes": { "vxn": { "path": "/usr/bin/${RUNTIME}" } }; ${INSTALL}`;
    let config: unknown;
    try {
      config = text === undefined ? {} : JSON.parse(text);
    } catch (error) {
      return failed(`${DAEMON_JSON}: ${messageOf(error)}`, 'correct it: dockerd does not start with it');
    }
    for (const [name, value] of Object.entries(table(at(config, 'runtimes')))) {
      const { path, runtimeType } = table(value);
      if (runtimeType === TYPE) return ok(`docker run --runtime ${name}`);
      if (typeof path !== 'string' || basename(path) !== RUNTIME) continue;
      const fault = programFault(patient, path);
      if (fault !== undefined)
        return failed(`docker's runtime "${name}": ${fault}`, `correct its path in ${DAEMON_JSON}`);
      return ok(`docker run --runtime ${name}`);
    }
    return skipped(
      'docker has no runtime of vxn by name; docker run --runtime io.containerd.vxn.v2 works',
      add,
    );
  },
};

const CONTAINERS_CONF = ['/usr/share/containers/containers.conf', '/etc/containers/containers.conf'];

/** Every containers.conf that podman reads for root, in order. */
function containersConf({ host }: Patient): string[] {
  return CONTAINERS_CONF.flatMap((file) => [
    file,
    ...host.list(`${file}.d`).flatMap((name) => (name.endsWith('.conf') ? [`${file}.d/${name}`] : [])),
  ]);
}

const podman: Check = {
  id: 'podman',
  look(patient) {
    const { host } = patient;
    if (host.which('podman', USUAL_PATH) === undefined) return skipped('podman is not installed');
    let found: { name: string; paths: unknown } | undefined;
    let json: unknown[] = [];
    for (const file of containersConf(patient)) {
      const text = host.read(file)?.toString();
      if (text === undefined) continue;
      let engine: Table;
      try {
        engine = table(at(parse(text), 'engine'));
      } catch (error) {
        return failed(`${file}: ${firstLine(messageOf(error))}`, 'correct it: podman does not start with it');
      }
      if (Array.isArray(engine.runtime_supports_json)) json = engine.runtime_supports_json;
      for (const [name, paths] of Object.entries(table(engine.runtimes))) {
        const ours =
          Array.isArray(paths) && paths.some((p) => typeof p === 'string' && basename(p) === RUNTIME);
        if (ours) found = { name, paths };
      }
    }
    const path = `/usr/bin/${RUNTIME}`;
    if (found === undefined)
      return skipped(
        `podman has no runtime of vxn by name; podman --runtime ${path} works`,
        `for a name: ${INSTALL}`,
      );
    const faults = (found.paths as string[]).map((p) => programFault(patient, p));
    if (faults.every((fault) => fault !== undefined))
      return failed(
        `podman's runtime "${found.name}": ${faults[0]}`,
        'correct [engine.runtimes] in containers.conf',
      );
    if (!json.includes(found.name))
      return warning(
        `podman's runtime "${found.name}" is not in runtime_supports_json: errors are less clear`,
        'add it to runtime_supports_json in the section engine of containers.conf',
      );
    return ok(`podman --runtime ${found.name} run`);
  },
};

export const ENGINE_CHECKS: readonly Check[] = [containerd, cri, docker, podman];
