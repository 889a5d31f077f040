// SPDX-License-Identifier: MIT
// Turns a loaded description into a target, in which every key has a value, or collects every
// reason why it cannot.
import { type Config, DEFAULTS } from '../config/config.ts';
import { DescriptionError, type Diagnostic, type DiagnosticCode, type Place } from './diagnostics.ts';
import type { Field } from './field.ts';
import type { Loaded } from './load.ts';
import type { Layer } from './parse.ts';
import { type CONTAINERD_GENERATIONS, PATH, SCHEMA } from './schema.ts';

export type Engine = 'containerd' | 'docker' | 'podman' | 'k3s' | 'kubernetes';
export type Generation = (typeof CONTAINERD_GENERATIONS)[number];
type Runtime = 'runc' | 'vxn';

export interface Target {
  name: string;
  description: string;
  /** Keys that --set gave. */
  set: readonly string[];
  architecture: 'x86_64' | 'aarch64';
  guestType: 'pv' | 'pvh';
  engines: readonly Engine[];
  paths: {
    bindir: string;
    sbindir: string;
    libexecdir: string;
    libdir: string;
    sysconfdir: string;
    datadir: string;
    localstatedir: string;
    node: string;
    blobs: string;
    kernel: string;
    initramfs: string;
  };
  containerd: {
    version: Generation;
    configVersion: '2' | '3' | '4';
    layout: 'file' | 'drop-in';
    handler: string;
    defaultRuntime: Runtime;
    form: 'shim' | 'runc-options';
    snapshotter: string | undefined;
    sandboxImage: string | undefined;
    systemdCgroup: boolean;
  };
  docker: { defaultRuntime: Runtime; form: 'path' | 'shim' };
  podman: { defaultRuntime: 'crun' | Runtime | undefined };
  kubernetes: {
    runtimeClass: string;
    overheadMemory: number;
    overheadCpu: string;
    nodeSelector: readonly string[];
  };
  modules: readonly string[];
  systemd: { enable: boolean; after: readonly string[] };
  /** vxn.yaml: what the description sets, and what follows from it. */
  settings: Readonly<Record<string, unknown>>;
}

/** Dom0's share of a pod: the monitor, the shim, and the runtime's calls. */
const DOM0_OVERHEAD_MIB = 32;

const isV1 = (version: Generation): boolean => version === '1.6' || version === '1.7';

/** The newest version of configuration files that a generation of containerd reads. */
export function newestConfigVersion(version: Generation): '2' | '3' | '4' {
  if (isV1(version)) return '2';
  return version === '2.3' ? '4' : '3';
}

class Resolver {
  readonly diagnostics: Diagnostic[] = [];

  constructor(
    private readonly layer: Layer,
    private readonly whole: Place,
  ) {}

  place(key: string): Place {
    return this.layer.get(key)?.place ?? this.whole;
  }

  complain(code: DiagnosticCode, key: string, message: string, hint?: string): void {
    this.diagnostics.push({ code, message, place: this.place(key), hint });
  }

  /** The value of a key, or its default. The layer was checked: the type is the field's. */
  get<T>(key: string): T {
    const entry = this.layer.get(key);
    if (entry !== undefined) return entry.value as T;
    let field: Field = SCHEMA;
    for (const name of key.split('.')) {
      if (field.kind === 'section') field = field.fields[name] as Field;
    }
    return ('default' in field ? field.default : undefined) as T;
  }

  or<T>(key: string, derived: T): T {
    return this.layer.has(key) ? this.get<T>(key) : derived;
  }
}

function checkContainerd(r: Resolver, containerd: Target['containerd'], engines: readonly Engine[]): void {
  const { version, configVersion, layout, form, handler, defaultRuntime } = containerd;
  const newest = newestConfigVersion(version);
  if (configVersion > newest || (isV1(version) && configVersion !== '2')) {
    r.complain(
      'COMBINATION',
      'containerd.configVersion',
      `containerd ${version} reads configuration files up to version ${newest}, not ${configVersion}`,
      'leave containerd.configVersion out',
    );
  }
  if (isV1(version) && layout === 'drop-in') {
    r.complain(
      'COMBINATION',
      'containerd.layout',
      `containerd ${version} replaces its whole CRI configuration by that of a drop-in`,
      'leave containerd.layout out, and use `vxn-config install` on a system that has a config.toml',
    );
  }
  if (form === 'runc-options' && version === '2.0') {
    r.complain(
      'NOT_FAIL_CLOSED',
      'containerd.form',
      'containerd 2.0 runs a pod with user namespaces under the real runc in this form (2.0.1 to 2.0.4)',
      'leave containerd.form out',
    );
  }
  // k3s takes only those defaults that it finds itself, among programs that it knows by name.
  if (defaultRuntime === 'vxn' && engines.includes('k3s')) {
    r.complain(
      'COMBINATION',
      'containerd.defaultRuntime',
      'k3s does not start with a default runtime that it does not know itself',
      'leave containerd.defaultRuntime out, and name the RuntimeClass in each pod (runtimeClassName)',
    );
  }
  if (handler === 'runc') {
    r.complain(
      'COMBINATION',
      'containerd.handler',
      'the handler "runc" is that of the real runc',
      'call it vxn',
    );
  }
}

function settingsOf(
  r: Resolver,
  layer: Layer,
  target: Pick<Target, 'paths' | 'guestType'>,
): Target['settings'] {
  const { paths, guestType } = target;
  const derived: Partial<Config> = {
    libDir: `${paths.localstatedir}/lib/vxn`,
    libexecDir: `${paths.libexecdir}/vxn`,
    guestType,
    kernel: `${paths.blobs}/${paths.kernel}`,
    initramfs: `${paths.blobs}/${paths.initramfs}`,
  };
  const ELSEWHERE = { guestType: 'guestType', libexecDir: 'paths.libexecdir' } as const;
  for (const [setting, key] of Object.entries(ELSEWHERE)) {
    if (layer.has(`defaults.${setting}`)) {
      r.complain('COMBINATION', `defaults.${setting}`, `${setting} follows from ${key}`, `set ${key}`);
    }
  }
  // These two go into tmpfiles.d.
  for (const key of ['defaults.runDir', 'defaults.libDir']) {
    const value = layer.get(key)?.value;
    if (value !== undefined && !PATH.pattern.test(String(value)))
      r.complain('BAD_VALUE', key, `${key} is not ${PATH.words}`);
  }
  const settings: Record<string, unknown> = { ...derived };
  for (const key of Object.keys(DEFAULTS)) {
    const entry = layer.get(`defaults.${key}`);
    if (entry !== undefined) settings[key] = entry.value;
  }
  return settings;
}

/** Gives every key its value. Throws DescriptionError with everything that does not go together. */
export function resolveTarget(loaded: Loaded): Target {
  const { layer, source } = loaded;
  const r = new Resolver(layer, { source, start: 0, end: 0 });
  if (!layer.has('architecture')) {
    r.complain(
      'MISSING_KEY',
      'architecture',
      'architecture is missing',
      'add "architecture: x86_64", or "extends: generic-x86-64"',
    );
    throw new DescriptionError(r.diagnostics);
  }
  const architecture = r.get<Target['architecture']>('architecture');
  const isArm = architecture === 'aarch64';
  const guestType = r.or<Target['guestType']>('guestType', isArm ? 'pvh' : 'pv');
  if (isArm && guestType === 'pv')
    r.complain('COMBINATION', 'guestType', 'Xen on aarch64 has no pv guests', 'leave guestType out');

  const datadir = r.get<string>('paths.datadir');
  const paths: Target['paths'] = {
    bindir: r.get('paths.bindir'),
    sbindir: r.get('paths.sbindir'),
    libexecdir: r.get('paths.libexecdir'),
    libdir: r.get('paths.libdir'),
    sysconfdir: r.get('paths.sysconfdir'),
    datadir,
    localstatedir: r.get('paths.localstatedir'),
    node: r.get('paths.node'),
    blobs: r.or('paths.blobs', `${datadir}/vxn/${architecture}`),
    kernel: r.or('paths.kernel', isArm ? 'Image' : 'bzImage'),
    initramfs: r.get('paths.initramfs'),
  };
  const version = r.get<Generation>('containerd.version');
  const containerd: Target['containerd'] = {
    version,
    configVersion: r.or('containerd.configVersion', newestConfigVersion(version)),
    layout: r.or('containerd.layout', isV1(version) ? 'file' : 'drop-in'),
    handler: r.get('containerd.handler'),
    defaultRuntime: r.get('containerd.defaultRuntime'),
    form: r.get('containerd.form'),
    snapshotter: r.get('containerd.snapshotter'),
    sandboxImage: r.get('containerd.sandboxImage'),
    systemdCgroup: r.get('containerd.systemdCgroup'),
  };
  const engines = r.get<Engine[]>('engines');
  checkContainerd(r, containerd, engines);
  const settings = settingsOf(r, layer, { paths, guestType });
  const memoryOverhead = Number(settings.memoryOverhead ?? DEFAULTS.memoryOverhead);
  const target: Target = {
    name: loaded.name,
    description: r.get('description'),
    set: loaded.set,
    architecture,
    guestType,
    engines,
    paths,
    containerd,
    docker: { defaultRuntime: r.get('docker.defaultRuntime'), form: r.get('docker.form') },
    podman: { defaultRuntime: r.get('podman.defaultRuntime') },
    kubernetes: {
      runtimeClass: r.get('kubernetes.runtimeClass'),
      overheadMemory: r.or('kubernetes.overheadMemory', memoryOverhead + DOM0_OVERHEAD_MIB),
      overheadCpu: r.get('kubernetes.overheadCpu'),
      nodeSelector: r.get('kubernetes.nodeSelector'),
    },
    modules: r.get('modules'),
    systemd: { enable: r.get('systemd.enable'), after: r.get('systemd.after') },
    settings,
  };
  if (r.diagnostics.length > 0) throw new DescriptionError(r.diagnostics);
  return target;
}
