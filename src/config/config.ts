// SPDX-License-Identifier: MIT
// The runtime's own settings. /etc/vxn/vxn.yaml is read through a cache, so that the hot path never
// loads a YAML parser.
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { replaceFile } from '../host/files.ts';
import { matchesGlob } from '../host/glob.ts';
import { parseIpv4, parsePool } from '../host/ipv4.ts';
import { ANNOTATION_NAMES, DEFAULT_ALLOWED } from '../spec/annotations.ts';

export interface Config {
  /**
   * Volatile state, mode 0700, on a tmpfs. At most 15 bytes, because paths of unix sockets are
   * short.
   */
  runDir: string;
  /** Root disks and logs. */
  libDir: string;
  /** The native helpers. */
  libexecDir: string;
  xl: string;
  xenstoreRead: string;
  mke2fs: string;
  guestType: 'pv' | 'pvh';
  kernel: string;
  initramfs: string;
  /** Added to the guest's kernel command line. */
  cmdline: string;
  /** The kind of guest that containers get: vxn-agent's, or meta-virtualization's own images. */
  guestProtocol: 'agent' | 'marker';
  /** The kernel and the initramfs that marker guests boot. */
  markerKernel: string;
  markerInitramfs: string;
  /** The image of a marker guest's own root, read-only and shared. '' when the guest needs none. */
  markerRootfs: string;
  /** MiB of a domain whose container has no memory limit. */
  memory: number;
  /** MiB that the guest's kernel and agent need beside a container's limit. */
  memoryOverhead: number;
  vcpus: number;
  /** MiB that a writable root has free beyond its content. */
  rootFree: number;
  /** MiB that the bind mounts of a container may take together. */
  bindLimit: number;
  /** MiB that a domain may have, its maxmem included. 0: as much as Xen has. */
  maxMemory: number;
  /** Vcpus that a domain may have, its maxvcpus included. 0: the number of processors of the host. */
  maxVcpus: number;
  /** MiB that the annotation root-free may ask for. 0: no limit. */
  maxRootFree: number;
  /** Weight that an annotation may ask for where linux.resources has no shares. 0: no limit. */
  maxWeight: number;
  /**
   * The network of containers that do not choose one, and whose engine puts no interface into
   * their namespace.
   */
  networkMode: 'namespace' | 'bridge' | 'none';
  /** The bridge of Dom0, for networkMode bridge. */
  bridge: string;
  /**
   * The bridge's addresses for containers, as FIRST-LAST/PREFIX. '' when a DHCP server gives them
   * out.
   */
  bridgeAddresses: string;
  /** The default gateway of containers on the bridge. '' for none, or when DHCP gives it. */
  bridgeGateway: string;
  /** KiB of the program's output that `logs` keeps. */
  logSize: number;
  /** The folder where time lines are kept after delete. '' keeps none. */
  timelineDir: string;
  /**
   * Names or globs of the annotations that a container may carry, without the prefix
   * org.openembedded.vxn.
   */
  annotations: readonly string[];
  /** Globs of the files that annotations and the vm section may name as kernel or initrd. */
  hostPaths: readonly string[];
}

const ARCH = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

const BLOBS = `/usr/share/vxn/${ARCH}`;

export const DEFAULTS: Readonly<Config> = {
  runDir: '/run/vxn',
  libDir: '/var/lib/vxn',
  libexecDir: '/usr/libexec/vxn',
  xl: 'xl',
  xenstoreRead: 'xenstore-read',
  mke2fs: 'mke2fs',
  guestType: ARCH === 'aarch64' ? 'pvh' : 'pv',
  kernel: `${BLOBS}/${ARCH === 'aarch64' ? 'Image' : 'bzImage'}`,
  initramfs: `${BLOBS}/initramfs.cpio.gz`,
  cmdline: '',
  guestProtocol: 'agent',
  markerKernel: `${BLOBS}/${ARCH === 'aarch64' ? 'Image' : 'bzImage'}`,
  markerInitramfs: `${BLOBS}/initramfs.cpio.gz`,
  markerRootfs: `${BLOBS}/rootfs.img`,
  memory: 256,
  memoryOverhead: 96,
  vcpus: 1,
  rootFree: 512,
  bindLimit: 64,
  maxMemory: 0,
  maxVcpus: 0,
  maxRootFree: 4096,
  // Xen's default, which Dom0 has as well.
  maxWeight: 256,
  networkMode: 'namespace',
  bridge: 'xenbr0',
  bridgeAddresses: '',
  bridgeGateway: '',
  logSize: 1024,
  timelineDir: '',
  annotations: DEFAULT_ALLOWED,
  hostPaths: ['/usr/share/vxn/**'],
};

const CACHE = `${DEFAULTS.runDir}/config.json`;

function bad(file: string, what: string): VxnError {
  return new VxnError('INVALID_CONFIG', `${file}: ${what}`);
}

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((v) => typeof v === 'string');
}

function checkNetwork(config: Config, file: string): void {
  const { networkMode, bridge, bridgeAddresses, bridgeGateway } = config;
  if (!['namespace', 'bridge', 'none'].includes(networkMode))
    throw bad(file, 'networkMode must be namespace, bridge or none');
  if (!/^[^\s/:]{1,15}$/.test(bridge)) throw bad(file, 'bridge must be the name of an interface');
  if (bridgeAddresses !== '' && parsePool(bridgeAddresses) === undefined)
    throw bad(file, 'bridgeAddresses must be like 192.168.1.100-192.168.1.199/24');
  if (bridgeGateway !== '' && parseIpv4(bridgeGateway) === undefined)
    throw bad(file, 'bridgeGateway must be an IPv4 address');
}

function checkPatterns(config: Config, file: string): void {
  for (const pattern of config.annotations) {
    if (!ANNOTATION_NAMES.some((name) => matchesGlob(name, pattern)))
      throw bad(file, `annotations: there is no annotation "${pattern}"; docs/annotations.md lists them`);
  }
  const relative = config.hostPaths.find((pattern) => !pattern.startsWith('/'));
  if (relative !== undefined) throw bad(file, `hostPaths: "${relative}" must begin with /`);
}

const LIMITS = [
  ['memory', 'maxMemory'],
  ['vcpus', 'maxVcpus'],
  ['rootFree', 'maxRootFree'],
] as const;

// Only a limit that the file itself sets contradicts it.
function checkLimits(config: Config, value: object, file: string): void {
  for (const [key, limit] of LIMITS) {
    const most = config[limit];
    if (!Object.hasOwn(value, limit) || most === 0 || config[key] <= most) continue;
    throw bad(file, `${key} is ${config[key]}, more than ${limit}, which is ${most}`);
  }
}

/** Lays settings over the defaults. Throws INVALID_CONFIG on an unknown key or a wrong type. */
export function checkConfig(value: unknown, file: string): Config {
  if (value === null || value === undefined) return { ...DEFAULTS };
  if (typeof value !== 'object' || Array.isArray(value)) throw bad(file, 'must hold key: value pairs');
  const defaults: Readonly<Record<string, string | number | readonly string[]>> = { ...DEFAULTS };
  for (const [key, v] of Object.entries(value)) {
    const known = Object.hasOwn(defaults, key) ? defaults[key] : undefined;
    if (known === undefined) throw bad(file, `unknown key "${key}"`);
    if (Array.isArray(known) && !isListOfStrings(v)) throw bad(file, `${key} must be a list of strings`);
    if (typeof v !== typeof known) throw bad(file, `${key} must be a ${typeof known}`);
    if (typeof v === 'number' && !(Number.isInteger(v) && v >= 0))
      throw bad(file, `${key} must be a whole number`);
  }
  const config: Config = { ...DEFAULTS, ...value };
  if (config.guestType !== 'pv' && config.guestType !== 'pvh') throw bad(file, 'guestType must be pv or pvh');
  if (config.guestProtocol !== 'agent' && config.guestProtocol !== 'marker')
    throw bad(file, 'guestProtocol must be agent or marker');
  if (Buffer.byteLength(config.runDir) > 15) throw bad(file, 'runDir must be at most 15 bytes long');
  checkLimits(config, value, file);
  checkPatterns(config, file);
  checkNetwork(config, file);
  return config;
}

interface Cache {
  key: string;
  config: Config;
}

function readCache(key: string): Config | undefined {
  try {
    const cache = JSON.parse(readFileSync(CACHE, 'utf8')) as Cache;
    // Another build of the same version may have written it, without the limits of this one.
    return cache.key === key ? { ...DEFAULTS, ...cache.config } : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(cache: Cache): void {
  try {
    mkdirSync(DEFAULTS.runDir, { recursive: true, mode: 0o700 });
    replaceFile(CACHE, JSON.stringify(cache));
  } catch {
    // The cache only saves time.
  }
}

/** The variables of the environment that say where the settings are. */
export interface SettingsEnvironment {
  /** A JSON file instead of the YAML file. */
  readonly VXN_CONFIG?: string | undefined;
  /** The YAML file. The launcher sets it where the target's configuration is not in /etc. */
  readonly VXN_SETTINGS?: string | undefined;
}

/**
 * The settings in force. They come from the file that env names, else from /etc/vxn/vxn.yaml, else
 * they are the defaults. parseYaml is called only when the YAML file has changed since the last
 * call of any vxn command. Throws INVALID_CONFIG.
 */
export function loadConfig(
  version: string,
  parseYaml: (text: string) => unknown,
  env: SettingsEnvironment,
): Config {
  const override = env.VXN_CONFIG;
  const file = override ?? env.VXN_SETTINGS ?? '/etc/vxn/vxn.yaml';
  try {
    if (override !== undefined) return checkConfig(JSON.parse(readFileSync(file, 'utf8')), file);
    const st = statSync(file, { bigint: true });
    const key = `${version} ${st.dev} ${st.ino} ${st.size} ${st.mtimeNs}`;
    const cached = readCache(key);
    if (cached !== undefined) return cached;
    const config = checkConfig(parseYaml(readFileSync(file, 'utf8')), file);
    writeCache({ key, config });
    return config;
  } catch (error) {
    if (error instanceof VxnError) throw error;
    if (errno(error) === 'ENOENT' && override === undefined) return { ...DEFAULTS };
    throw bad(file, messageOf(error));
  }
}
