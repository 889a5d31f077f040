// SPDX-License-Identifier: MIT
// The guest's kernel and initramfs: there, of one piece, and fitting each other and the settings.
import { type Check, failed, isMarker, ok, type Patient, skipped, warning } from './check.ts';
import { elfMachine } from './elf.ts';
import { type ArchiveFile, readInitramfs } from './initramfs.ts';
import {
  compressionOf,
  type Decompress,
  decompressed,
  type KernelFacts,
  readKernel,
} from './kernel-image.ts';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  xz: ['xz', '-dc'],
  lzma: ['xz', '-dc', '--format=lzma'],
  zstd: ['zstd', '-dcq'],
  lz4: ['lz4', '-dcq'],
};

const withTools =
  ({ host }: Patient): Decompress =>
  (name, data) => {
    const [tool, ...args] = TOOLS[name] ?? [];
    if (tool === undefined || host.which(tool, PATH) === undefined) return undefined;
    // The payload's length follows it. Tools report that as damage after they have done their work.
    const { stdout } = host.run(tool, args, data);
    return stdout.length > 0 ? stdout : undefined;
  };

function readable(
  patient: Patient,
  key: 'kernel' | 'markerKernel' | 'initramfs',
): Buffer | ReturnType<typeof failed> {
  const file = patient.config[key];
  const what = key === 'initramfs' ? key : 'kernel';
  const facts = patient.host.stat(file);
  if (facts === undefined)
    return failed(`${file} is not there`, `install the guest's ${what}, or set ${key} in /etc/vxn/vxn.yaml`);
  const data = facts.kind === 'file' ? patient.host.read(file) : undefined;
  return (
    data ??
    failed(
      `${file} cannot be read`,
      `it has to be a file that root can read; ${key} in /etc/vxn/vxn.yaml names it`,
    )
  );
}

const kernel: Check = {
  id: 'guest-kernel',
  look(patient) {
    const { config, host } = patient;
    const key = isMarker(patient) ? 'markerKernel' : 'kernel';
    const data = readable(patient, key);
    if (!Buffer.isBuffer(data)) return data;
    const facts = readKernel(data, withTools(patient));
    const other = `install a kernel for guests, or set ${key} in /etc/vxn/vxn.yaml`;
    if (facts === undefined)
      return failed(`${config[key]} is no kernel that Xen boots (ELF, bzImage, arm64 Image)`, other);
    if (facts.machine !== host.arch)
      return failed(`${config[key]} is for ${facts.machine}, this machine is ${host.arch}`, other);
    const name = `${facts.format} ${facts.release ?? 'of unknown release'}`;
    const fits = facts[config.guestType];
    if (fits === false) {
      const option = config.guestType === 'pv' ? 'CONFIG_XEN_PV' : 'CONFIG_PVH';
      return failed(
        `${name} cannot be a ${config.guestType} guest`,
        `it needs ${option}; or set guestType to ${config.guestType === 'pv' ? 'pvh' : 'pv'} in /etc/vxn/vxn.yaml`,
      );
    }
    if (fits === undefined)
      return ok(
        `${name}; whether it can be a ${config.guestType} guest cannot be seen without the tool that unpacks it`,
      );
    return ok(`${name}, can be a ${config.guestType} guest`);
  },
};

type Archive = ReadonlyMap<string, ArchiveFile>;

/** The initramfs, or why it cannot be looked into. */
function openInitramfs(patient: Patient): Archive | ReturnType<typeof failed> | ReturnType<typeof skipped> {
  const data = readable(patient, 'initramfs');
  if (!Buffer.isBuffer(data)) return data;
  const files = readInitramfs(data, withTools(patient));
  const { initramfs } = patient.config;
  if (files === 'compressed')
    return skipped(
      `${initramfs} is compressed (${compressionOf(data)}), and the tool that unpacks it is not here`,
    );
  if (files === 'damaged')
    return failed(
      `${initramfs} is damaged, or no cpio archive`,
      "build or install the guest's initramfs again",
    );
  return files;
}

const isArchive = (value: Archive | object): value is Archive => value instanceof Map;

/** The version that an agent has in it. */
export function agentVersion(program: Buffer): string | undefined {
  const text = program.toString('latin1');
  return /vxn-agent version (\d[\x21-\x7e]{0,63})/.exec(text)?.[1];
}

const initramfs: Check = {
  id: 'guest-initramfs',
  look(patient) {
    if (isMarker(patient)) return skipped('guestProtocol is marker: its images have an init of their own');
    const files = openInitramfs(patient);
    if (!isArchive(files)) return files;
    const init = files.get('init');
    const again = "build or install the guest's initramfs again";
    if (init === undefined || (init.mode & 0o111) === 0)
      return failed('the initramfs has no program /init', again);
    const machine = elfMachine(init.data);
    const version = agentVersion(init.data);
    if (version === undefined) return failed('/init in the initramfs is not vxn-agent', again);
    if (machine !== patient.host.arch)
      return failed(`/init in the initramfs is for ${machine}, this machine is ${patient.host.arch}`, again);
    if (version !== patient.version)
      return failed(
        `/init in the initramfs is vxn-agent ${version}, the runtime is ${patient.version}`,
        again,
      );
    return ok(`vxn-agent ${version}, ${files.size} entries`);
  },
};

/** The release of the kernel that a module is for. */
export function moduleRelease(module: Buffer): string | undefined {
  const at = module.indexOf('vermagic=');
  return at < 0 ? undefined : /^[\x21-\x7e]{1,64}/.exec(module.toString('latin1', at + 9, at + 73))?.[0];
}

const MODULE = /^lib\/vxn\/modules\/.*\.ko(\.(xz|zst|gz))?$/;

function matchReleases(patient: Patient, facts: KernelFacts, archive: Archive): ReturnType<typeof ok> {
  const modules = [...archive].filter(([name]) => MODULE.test(name));
  if (modules.length === 0) {
    if (facts.blockFrontEnd !== false) return ok('the initramfs has no modules, and the kernel needs none');
    return failed(
      'the kernel has xen-blkfront as a module, and the initramfs has no modules',
      'put its modules into lib/vxn/modules of the initramfs, or build the kernel with CONFIG_XEN_BLKDEV_FRONTEND=y',
    );
  }
  const releases = modules.map(([name, { data }]) => ({
    name,
    release: moduleRelease(decompressed(data, withTools(patient)) ?? Buffer.alloc(0)),
  }));
  const wrong = releases.find(
    ({ release }) => release !== undefined && facts.release !== undefined && release !== facts.release,
  );
  if (wrong !== undefined) {
    return failed(
      `the kernel is ${facts.release}, ${wrong.name} is for ${wrong.release}`,
      'kernel and initramfs have to come from one build: install both again',
    );
  }
  if (facts.release === undefined || releases.every(({ release }) => release === undefined))
    return warning(
      `${modules.length} modules, whose release cannot be seen`,
      'make sure that they belong to the kernel',
    );
  return ok(`${modules.length} modules, all for ${facts.release}`);
}

const match: Check = {
  id: 'guest-match',
  needs: ['guest-kernel', 'guest-initramfs'],
  look(patient) {
    const data = readable(patient, 'kernel');
    const archive = openInitramfs(patient);
    const facts = Buffer.isBuffer(data) ? readKernel(data, withTools(patient)) : undefined;
    if (facts === undefined || !isArchive(archive))
      return skipped('kernel or initramfs cannot be looked into');
    return matchReleases(patient, facts, archive);
  },
};

const markerGuests: Check = {
  id: 'marker-guest',
  look({ host, config }) {
    if (config.guestProtocol !== 'marker') return skipped('guestProtocol is agent');
    const files = [config.markerKernel, config.markerInitramfs, config.markerRootfs].filter(
      (file) => file !== '',
    );
    const missing = files.filter((file) => host.stat(file)?.kind !== 'file');
    if (missing.length === 0) return ok(`${files.join(', ')}`);
    return failed(
      `missing: ${missing.join(', ')}`,
      "install meta-virtualization's vxn blobs, or set markerKernel, markerInitramfs and markerRootfs in /etc/vxn/vxn.yaml",
    );
  },
};

export const GUEST_CHECKS: readonly Check[] = [kernel, initramfs, match, markerGuests];
