// SPDX-License-Identifier: MIT
// The text of xl.cfg(5) for a container's domain: a pure function of what the domain is to be.

export interface DomainPlan {
  name: string;
  uuid: string;
  type: 'pv' | 'pvh';
  arch: 'x86_64' | 'aarch64';
  kernel: string;
  initramfs: string;
  /** Added to the kernel's command line. */
  cmdline: string;
  /** MiB, now and at most. */
  memory: number;
  maxmem: number;
  vcpus: number;
  maxvcpus: number;
  /** Physical processors that it may run on; '' for any. */
  cpus: string;
  /** undefined leaves the scheduler's default. */
  weight: number | undefined;
  /** Percent of one processor; 0 for no limit. */
  cap: number;
  /** The image file that becomes xvda, and the hotplug script that attaches it. */
  rootDisk: string;
  blockScript: string;
}

/**
 * A string as xl's configuration parser reads it back byte for byte (libxlu_cfg_l.l: double quotes, backslash escapes).
 * Control characters, which no value of ours has a use for, are refused with RangeError.
 */
export function quote(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(value)) throw new RangeError(`control character in ${JSON.stringify(value)}`);
  return `"${value.replace(/[\\"]/g, (c) => `\\${c}`)}"`;
}

const BASE_CMDLINE = 'console=hvc0 quiet loglevel=4 panic=0 random.trust_cpu=on';
// What a guest of ours cannot have: probing for it costs boot time.
const PV_CMDLINE = 'noresume pci=off';

/** The kernel's command line. Processes are never described here: they go through the guest channel. */
export function kernelCommandLine(plan: Pick<DomainPlan, 'type' | 'arch' | 'cmdline'>): string {
  const parts = [BASE_CMDLINE, plan.arch === 'x86_64' ? PV_CMDLINE : '', plan.cmdline];
  return parts.filter((p) => p !== '').join(' ');
}

/** The configuration file. Throws RangeError when a value cannot be written into one. */
export function domainConfig(plan: DomainPlan): string {
  // `target` takes the rest of the string verbatim, commas included.
  const disk = `format=raw,vdev=xvda,access=rw,script=${plan.blockScript},target=${plan.rootDisk}`;
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
    `disk = [ ${quote(disk)} ]`,
    'vif = [ ]',
    // The monitor decides what becomes of an ended domain; it has to be there to be asked how it ended.
    'on_poweroff = "preserve"',
    'on_reboot = "preserve"',
    'on_crash = "preserve"',
    '',
  ].join('\n');
}
