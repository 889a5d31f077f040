// SPDX-License-Identifier: MIT
import { type Config, DEFAULTS } from '../config/config.ts';

/** The purpose of each setting of the runtime. A setting that is missing here does not compile. */
export const SETTING_HELP: { readonly [K in keyof Config]: string } = {
  runDir: 'Volatile state, on a tmpfs; at most 15 bytes long.',
  libDir: 'Root disks and logs.',
  libexecDir: 'The native helpers. It follows from paths.libexecdir.',
  xl: "Xen's toolstack: a name that is looked up in PATH, or a path.",
  xenstoreRead: "Xen's xenstore-read: a name or a path.",
  mke2fs: 'mke2fs of e2fsprogs: a name or a path.',
  guestType: 'It follows from guestType.',
  kernel: "The guest's kernel. It follows from paths.blobs and paths.kernel where it is not given.",
  initramfs: "The guest's initramfs. It follows from paths.blobs and paths.initramfs where it is not given.",
  guestProtocol:
    "The kind of guest that containers get: agent (vxn-agent in the initramfs) or marker (meta-virtualization's own images).",
  markerKernel: 'The kernel of marker guests.',
  markerInitramfs: 'The initramfs of marker guests.',
  markerRootfs: "The image of marker guests' own root, read-only and shared; an empty text: they need none.",
  cmdline: "Added to the guest's kernel command line.",
  memory: 'MiB of a container without a memory limit.',
  memoryOverhead: "MiB that the guest's kernel and agent need beside a container's limit.",
  vcpus: 'Virtual processors of a container without a CPU quota.',
  rootFree: 'MiB that a writable root has free beyond its content.',
  bindLimit: 'MiB that the bind mounts of a container may take together.',
  networkMode:
    'How containers are joined to the world that say nothing about it and whose engine leaves their namespace empty: namespace, bridge or none.',
  bridge: 'The bridge of Dom0 for those that are joined to one.',
  bridgeAddresses: "Its addresses for containers, as FIRST-LAST/PREFIX; '' leaves them to a DHCP server.",
  bridgeGateway: "Where their default route goes; '' for none, or as DHCP says.",
  logSize: "KiB of the program's output that `vxn-oci-runtime logs` keeps.",
  timelineDir: 'Where time lines are kept after delete; an empty text keeps none.',
  annotations:
    'Names of the annotations that a container may carry, without org.openembedded.vxn.; "*" stands for any characters.',
  hostPaths: 'Globs of the files in Dom0 that annotations may name as kernel or initrd.',
};

/** The names of the settings, in the order of the runtime's own table. */
export const SETTING_NAMES = Object.keys(DEFAULTS) as (keyof Config)[];
