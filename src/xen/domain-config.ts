// SPDX-License-Identifier: MIT
// The text of xl.cfg(5) for a domain: a pure function of the plan of the domain.

/** An image file that the domain sees as a block device. */
export interface Disk {
  /** Its name in the domain, such as `xvda`. */
  vdev: string;
  file: string;
  /** A read-only file may be shared by any number of domains. */
  readonly: boolean;
}

/** What a domain has of the host. maxmem and maxvcpus bound later changes. */
export interface Size {
  /** MiB, now and at most. */
  memory: number;
  maxmem: number;
  vcpus: number;
  maxvcpus: number;
  /** Physical processors that it may run on, as `0-3,6`; '' for any. */
  cpus: string;
  /** Share of the processors when they are contended; undefined: the scheduler's default, 256. */
  weight: number | undefined;
  /** Percent of one processor that it gets at most; 0 for no limit. */
  cap: number;
}

/** What a domain boots. */
export interface Boot {
  type: 'pv' | 'pvh';
  arch: 'x86_64' | 'aarch64';
  kernel: string;
  initramfs: string;
  /** The kernel's command line, when the guest's init is not vxn-agent. */
  boot?: string | undefined;
  /** Added to the kernel's command line. */
  cmdline: string;
}

export interface DomainPlan extends Boot, Size {
  name: string;
  uuid: string;
  disks: readonly Disk[];
  /** The hotplug script that attaches them. */
  blockScript: string;
}

/**
 * Quotes a string so that xl's configuration parser reads it back byte for byte (libxlu_cfg_l.l:
 * double quotes, backslash escapes). Throws RangeError on control characters, which no value of
 * ours needs.
 */
export function quote(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(value)) throw new RangeError(`control character in ${JSON.stringify(value)}`);
  return `"${value.replace(/[\\"]/g, (c) => `\\${c}`)}"`;
}

const BASE_CMDLINE = 'console=hvc0 quiet loglevel=4 panic=0 random.trust_cpu=on';
// Our guests have no PCI devices and no image to resume from. Probing for them costs boot time.
const PV_CMDLINE = 'noresume pci=off';

/**
 * The kernel's command line. Processes are never described here: they go through the guest
 * channel.
 */
export function kernelCommandLine(plan: Pick<Boot, 'type' | 'arch' | 'boot' | 'cmdline'>): string {
  const own = plan.arch === 'x86_64' ? `${BASE_CMDLINE} ${PV_CMDLINE}` : BASE_CMDLINE;
  return [plan.boot ?? own, plan.cmdline].filter((p) => p !== '').join(' ');
}

// `target` takes the rest of the string verbatim, commas included.
function diskSpec({ vdev, file, readonly }: Disk, script: string): string {
  return `format=raw,vdev=${vdev},access=${readonly ? 'ro' : 'rw'},script=${script},target=${file}`;
}

/** The text of the configuration file. Throws RangeError when a value cannot be written into it. */
export function domainConfig(plan: DomainPlan): string {
  if (plan.blockScript.includes(',')) throw new RangeError(`comma in ${plan.blockScript}`);
  return [
    `name = ${quote(plan.name)}`,
    `uuid = ${quote(plan.uuid)}`,
    `type = ${quote(plan.type)}`,
    `kernel = ${quote(plan.kernel)}`,
    `ramdisk = ${quote(plan.initramfs)}`,
    `cmdline = ${quote(kernelCommandLine(plan))}`,
    `memory = ${plan.memory}`,
    ...(plan.maxmem > plan.memory ? [`maxmem = ${plan.maxmem}`] : []),
    `vcpus = ${plan.vcpus}`,
    ...(plan.maxvcpus > plan.vcpus ? [`maxvcpus = ${plan.maxvcpus}`] : []),
    ...(plan.cpus === '' ? [] : [`cpus = ${quote(plan.cpus)}`]),
    ...(plan.weight === undefined ? [] : [`cpu_weight = ${plan.weight}`]),
    ...(plan.cap === 0 ? [] : [`cap = ${plan.cap}`]),
    `disk = [ ${plan.disks.map((d) => quote(diskSpec(d, plan.blockScript))).join(', ')} ]`,
    'vif = [ ]',
    // The monitor asks Xen how the domain ended, and destroys it afterwards. So Xen must keep it.
    'on_poweroff = "preserve"',
    'on_reboot = "preserve"',
    'on_crash = "preserve"',
    '',
  ].join('\n');
}
