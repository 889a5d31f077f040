// SPDX-License-Identifier: MIT
// Plans the files of a target. It reads nothing itself: the templates come in as texts.
import { posix } from 'node:path';
import ejs from 'ejs';
import { stringify } from 'yaml';
import { DEFAULTS } from '../config/config.ts';
import { ANNOTATION_PREFIX } from '../spec/annotations.ts';
import * as quoting from './quote.ts';
import type { Engine, Target } from './target.ts';

export interface PlannedFile {
  /** Absolute, on the target. */
  path: string;
  /** For what the file is: its template's name, or the link's. */
  kind: string;
  mode: number;
  content: string;
}

export interface PlannedLink {
  path: string;
  kind: string;
  /** Relative to the link's folder. */
  link: string;
}

export type Planned = PlannedFile | PlannedLink;

export interface PlanInput {
  target: Target;
  /** Of vxn. */
  version: string;
  /** The text of a template. */
  template(name: string): string;
  /** Runtimes whose errors this system's podman reads as JSON; podman's own list when not given. */
  podmanJson?: readonly string[];
}

const RUNTIME_TYPE = 'io.containerd.vxn.v2';
/** The PATH of a unit, where none is set. */
const SYSTEMD_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Paths that more than one file names. */
export function places(target: Target) {
  const { paths, containerd, settings } = target;
  return {
    runtime: `${paths.libexecdir}/vxn/vxn-oci-runtime`,
    shimDir: `${paths.libexecdir}/vxn/shim`,
    snapshot: `${paths.libexecdir}/vxn/snapshot`,
    shim: `${paths.bindir}/containerd-shim-vxn-v2`,
    vctr: `${paths.bindir}/vctr`,
    command: `${paths.bindir}/vxn-oci-runtime`,
    settings: `${paths.sysconfdir}/vxn/vxn.yaml`,
    containerdConfig: `${paths.sysconfdir}/containerd/config.toml`,
    containerdDropIn: `${paths.sysconfdir}/containerd/conf.d/50-vxn.toml`,
    containerdImports: `${paths.sysconfdir}/containerd/conf.d/*.toml`,
    dockerConfig: `${paths.sysconfdir}/docker/daemon.json`,
    podmanConfig: `${paths.sysconfdir}/containers/containers.conf.d/50-vxn.conf`,
    k3sTemplate: `${paths.localstatedir}/lib/rancher/k3s/agent/etc/containerd/${
      containerd.configVersion === '2' ? 'config.toml.tmpl' : 'config-v3.toml.tmpl'
    }`,
    k3sConfig: `${paths.sysconfdir}/rancher/k3s/config.yaml.d/50-vxn.yaml`,
    k3sManifest: `${paths.localstatedir}/lib/rancher/k3s/server/manifests/vxn-runtimeclass.yaml`,
    runDir: String(settings.runDir ?? DEFAULTS.runDir),
    libDir: String(settings.libDir ?? DEFAULTS.libDir),
    path: [...new Set([paths.sbindir, paths.bindir, '/usr/sbin', '/usr/bin', '/sbin', '/bin'])].join(':'),
  };
}

/** Who made a file, for its head. */
export function origin(target: Target, version: string): string {
  const set = target.set.length === 0 ? '' : `, with ${target.set.join(', ')} set`;
  return `Made by vxn-config ${version} from the target ${target.name}${set}.`;
}

interface DockerConfig {
  'default-runtime'?: string;
  runtimes: { vxn: Record<string, string> };
}

/** The members that daemon.json has to hold. */
export function dockerConfig(target: Target): DockerConfig {
  const runtime =
    target.docker.form === 'path' ? { path: places(target).command } : { runtimeType: RUNTIME_TYPE };
  const root = target.docker.defaultRuntime === 'vxn' ? { 'default-runtime': 'vxn' } : {};
  return { ...root, runtimes: { vxn: runtime } };
}

/** A value of containerd's configuration that a target sets beside its runtimes. */
export interface ContainerdKey {
  /** Below plugins. */
  table: readonly string[];
  key: string;
  value: string;
  /** The key of the description that it comes from. */
  description: string;
}

/**
 * The values that a target sets in containerd's configuration of a version, beside the runtimes.
 */
export function containerdKeys({ containerd }: Target, version: number): ContainerdKey[] {
  const { sandboxImage, snapshotter, defaultRuntime, handler } = containerd;
  const old = version === 1 ? 'cri' : 'io.containerd.grpc.v1.cri';
  const cri = version >= 3 ? 'io.containerd.cri.v1.runtime' : old;
  const images = 'io.containerd.cri.v1.images';
  const keys: ContainerdKey[] = [];
  const set = (description: string, table: string[], key: string, value: string | undefined): void => {
    if (value !== undefined) keys.push({ table, key, value, description });
  };
  const runtime = defaultRuntime === 'vxn' ? handler : undefined;
  if (version < 3) set('containerd.sandboxImage', [cri], 'sandbox_image', sandboxImage);
  set('containerd.defaultRuntime', [cri, 'containerd'], 'default_runtime_name', runtime);
  if (version >= 3) {
    set('containerd.snapshotter', [images], 'snapshotter', snapshotter);
    set('containerd.sandboxImage', [images, 'pinned_images'], 'sandbox', sandboxImage);
  } else {
    set('containerd.snapshotter', [cri, 'containerd'], 'snapshotter', snapshotter);
  }
  return keys;
}

/** The same by tables: each may be opened once. */
function containerdTables(target: Target): { table: readonly string[]; keys: ContainerdKey[] }[] {
  const tables = new Map<string, ContainerdKey[]>();
  for (const key of containerdKeys(target, Number(target.containerd.configVersion))) {
    const id = key.table.join('\n');
    tables.set(id, [...(tables.get(id) ?? []), key]);
  }
  return [...tables.values()].map((keys) => ({ table: keys[0]?.table ?? [], keys }));
}

/** Runtimes whose errors podman 4 and 5 read as JSON when it is not told otherwise. */
const PODMAN_JSON = ['crun', 'crun-vm', 'runc', 'kata', 'runsc', 'youki', 'krun', 'ocijail'];

type Locals = Record<string, unknown>;

function localsOf({ target, version, template, podmanJson }: PlanInput): Locals {
  const { containerd } = target;
  const locals: Locals = {
    ...quoting,
    target,
    at: places(target),
    origin: origin(target, version),
    runtimeType: RUNTIME_TYPE,
    // All of them: which ones count is the runtime's to say, aloud, by its setting `annotations`.
    annotations: [`${ANNOTATION_PREFIX}*`],
    cri: containerd.configVersion === '2' ? 'io.containerd.grpc.v1.cri' : 'io.containerd.cri.v1.runtime',
    docker: dockerConfig(target),
    supportsJson: [...(podmanJson ?? PODMAN_JSON), 'vxn'],
    containerdTables: containerdTables(target),
    yaml: (value: unknown) => stringify(value, { lineWidth: 0 }),
    partial: (name: string) => ejs.render(template(name), locals),
  };
  return locals;
}

/** A part of a file on its own, for `install`. */
export function renderPart(input: PlanInput, name: string, extra: Locals): string {
  return ejs.render(input.template(name), { ...localsOf(input), ...extra });
}

/** PATH for an engine's unit, when systemd's own does not have the shim's folder. */
function unitPath({ paths }: Target): string | undefined {
  if (SYSTEMD_PATH.includes(paths.bindir)) return undefined;
  return [paths.bindir, ...SYSTEMD_PATH].join(':');
}

/** The first lines of the runtime, which find node, its start-up snapshot and its settings. */
export function launcher(input: PlanInput): string {
  return ejs.render(input.template('launcher'), localsOf(input)).trimEnd();
}

/** Renders all files of a target, in the order of their paths. */
export function planTarget(input: PlanInput): Planned[] {
  const { target, template } = input;
  const at = places(target);
  const { paths, containerd, systemd } = target;
  const locals = localsOf(input);
  const planned: Planned[] = [];
  const file = (path: string, name: string, mode = 0o644, extra: Locals = {}): void => {
    const content = ejs.render(template(name), { ...locals, ...extra });
    planned.push({ path, kind: name, mode, content });
  };
  const link = (path: string, to: string): void => {
    planned.push({ path, kind: 'link', link: posix.relative(posix.dirname(path), to) });
  };
  const has = (engine: Engine): boolean => target.engines.includes(engine);

  file(at.vctr, 'vctr', 0o755);
  file(at.shim, 'containerd-shim-vxn-v2', 0o755);
  file(`${paths.libexecdir}/vxn/vxn-snapshot`, 'vxn-snapshot', 0o755);
  link(at.command, at.runtime);
  link(`${at.shimDir}/runc`, at.runtime);
  file(at.settings, 'vxn.yaml');
  file(`${paths.datadir}/bash-completion/completions/vctr`, 'vctr-completion');
  if (has('containerd')) {
    if (containerd.layout === 'file') file(at.containerdConfig, 'containerd-config-vxn.toml');
    else file(at.containerdDropIn, 'containerd-config-vxn.toml');
    // containerd resolves the imports of a file that exists, not those of its built-in default.
    if (containerd.layout === 'drop-in') file(at.containerdConfig, 'containerd-imports.toml');
  }
  if (has('docker')) file(at.dockerConfig, 'daemon.json');
  if (has('podman')) file(at.podmanConfig, '50-vxn.conf');
  if (has('k3s')) {
    const runtimes = quoting.goTemplate(ejs.render(template('containerd-runtimes.toml'), locals));
    file(at.k3sTemplate, 'k3s-config.toml.tmpl', 0o600, { runtimes });
    // k3s's own template sets these two, from its options.
    if (containerd.snapshotter !== undefined || containerd.sandboxImage !== undefined)
      file(at.k3sConfig, 'k3s-config.yaml', 0o600);
    file(at.k3sManifest, 'runtimeclass.yaml', 0o600);
  }
  if (has('kubernetes')) file(`${paths.datadir}/vxn/kubernetes/runtimeclass.yaml`, 'runtimeclass.yaml');
  file(`${paths.libdir}/tmpfiles.d/vxn.conf`, 'tmpfiles.conf');
  if (target.modules.length > 0) file(`${paths.libdir}/modules-load.d/vxn.conf`, 'modules-load.conf');
  if (systemd.enable) file(`${paths.libdir}/systemd/system/vxn-snapshot.service`, 'vxn-snapshot.service');
  const path = unitPath(target);
  if (systemd.enable && (systemd.after.length > 0 || path !== undefined)) {
    for (const engine of ['containerd', 'docker', 'k3s'] as const) {
      const dropIn = `${paths.libdir}/systemd/system/${engine}.service.d/50-vxn.conf`;
      if (has(engine)) file(dropIn, 'engine-unit.conf', 0o644, { after: systemd.after, path });
    }
  }
  return planned.sort((a, b) => (a.path < b.path ? -1 : 1));
}
