// SPDX-License-Identifier: MIT

/** The kinds of Xen guests. */
export type GuestType = 'pv' | 'pvh';

/** The parts of QEMU's command line that differ between boots of the lab's machine. */
export interface MachineSpec {
  xen: string;
  kernel: string;
  initrd: string;
  xenOptions: string;
  kernelOptions: string;
  memoryMiB: number;
  cpus: number;
  /** QEMU's processor model, if it is not the usual one. */
  cpuModel?: string | undefined;
}

/** Everything about the lab that depends on the processor architecture. */
export interface Arch {
  /** Name as the kernel reports it (`uname -m`). */
  name: string;
  /** Name of the Debian architecture. */
  debian: string;
  /** GNU triplet: names Debian's library directory and the C compiler. */
  triplet: string;
  /** Debian packages of the hypervisor and of the kernel. */
  bootPackages: readonly string[];
  /** Debian packages of the host: the emulator and the cross compiler. */
  hostPackages: readonly string[];
  /** Matches the hypervisor in the image's /boot. QEMU needs it unpacked. */
  xenFile: RegExp;
  /** Modules that Dom0's initramfs needs to reach its root disk, without their dependencies. */
  rootModules: readonly string[];
  /** Modules that Dom0's init loads later. */
  dom0Modules: readonly string[];
  /** Guest types, the preferred one first. */
  guestTypes: readonly GuestType[];
  /**
   * Options of the hypervisor and of Dom0's kernel that suit this architecture's console and
   * emulation.
   */
  xenOptions: string;
  kernelOptions: string;
  /** QEMU's binary. */
  qemu: string;
  /** QEMU's arguments for processor, machine and boot. The caller adds disks and network. */
  machine(spec: MachineSpec): string[];
}

const DOM0_MODULES = [
  'xen-evtchn',
  'xen-gntdev',
  'xen-gntalloc',
  'xen-privcmd',
  'xenfs',
  'xen-blkback',
  'xen-netback',
  'loop',
  'overlay',
  'bridge',
  'veth',
  'tun',
  'sch_ingress',
  'act_mirred',
  'cls_matchall',
] as const;

/** Xen on x86_64. QEMU boots the hypervisor as a multiboot kernel, and Dom0 is a PV guest. */
export const x86_64: Arch = {
  name: 'x86_64',
  debian: 'amd64',
  triplet: 'x86_64-linux-gnu',
  bootPackages: ['xen-hypervisor-4.20-amd64', 'linux-image-amd64'],
  hostPackages: ['qemu-system-x86', 'gcc'],
  xenFile: /^xen-4\.\d+-amd64\.gz$/,
  rootModules: ['virtio_pci', 'virtio_blk', 'ext4', 'virtio_net'],
  dom0Modules: DOM0_MODULES,
  guestTypes: ['pv', 'pvh'],
  xenOptions: 'console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning spec-ctrl=no xpti=off',
  kernelOptions: 'console=hvc0 quiet mitigations=off',
  qemu: 'qemu-system-x86_64',
  machine(spec) {
    return [
      ...['-accel', 'tcg,thread=multi,tb-size=1024'],
      // SMAP (cpu max, EPYC) kills the PV Dom0 in early boot. svm and npt give PVH guests HAP.
      // rdrand gives Dom0 and guests randomness at once. Without it they would wait for seconds.
      ...['-machine', 'q35', '-cpu', spec.cpuModel ?? 'qemu64,+svm,+npt,+rdrand'],
      ...['-smp', String(spec.cpus), '-m', String(spec.memoryMiB)],
      ...['-kernel', spec.xen, '-append', spec.xenOptions],
      ...['-initrd', `${spec.kernel} ${spec.kernelOptions},${spec.initrd}`],
    ];
  },
};

/** The architecture that the lab is built for. */
export const labArch: Arch = x86_64;
