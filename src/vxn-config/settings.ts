// SPDX-License-Identifier: MIT
import { type Config, DEFAULTS } from '../config/config.ts';

/** The purpose of each setting of the runtime. A setting that is missing here does not compile. */
export const SETTING_HELP: { readonly [K in keyof Config]: string } = {
  runDir: 'The folder of volatile state, on a tmpfs. Its path has at most 15 bytes.',
  libDir: 'The folder of root disks and logs.',
  libexecDir: 'The folder of the native helpers. It follows from paths.libexecdir.',
  xl: "Xen's toolstack: a name that is looked up in PATH, or a path.",
  xenstoreRead: "Xen's xenstore-read: a name or a path.",
  mke2fs: 'mke2fs of e2fsprogs: a name or a path.',
  guestType: "The type of the Xen guest: pv or pvh. It follows from the description's own guestType.",
  kernel: "The guest's kernel. By default it follows from paths.blobs and paths.kernel.",
  initramfs: "The guest's initramfs. By default it follows from paths.blobs and paths.initramfs.",
  guestProtocol:
    "The kind of guest of a container: agent (vxn-agent in the initramfs) or marker (meta-virtualization's own images).",
  markerKernel: 'The kernel of marker guests.',
  markerInitramfs: 'The initramfs of marker guests.',
  markerRootfs:
    "The image of the marker guests' own root. It is read-only, and all guests share it. An empty text says that they need none.",
  cmdline: "Words that vxn adds to the guest's kernel command line.",
  memory: 'MiB of the domain of a container without a memory limit.',
  memoryOverhead: "MiB that the guest's kernel and agent need beside a container's limit.",
  vcpus: 'Virtual processors of a container without a CPU quota.',
  rootFree: 'MiB of free space in a writable root, beside its content.',
  bindLimit: 'MiB that all bind mounts of a container may have together.',
  maxMemory: 'MiB that a domain may have, its maxmem included. 0: as much as Xen has.',
  maxVcpus:
    'Virtual processors that a domain may have, its maxvcpus included. 0: as many as the host has processors.',
  maxRootFree: 'MiB that the annotation root-free may ask for. 0: no limit.',
  maxWeight:
    'Weight that the annotation weight may ask for where the engine sets no CPU shares. 0: no limit.',
  networkMode:
    'How a container is joined to the network: namespace, bridge or none. The setting counts for a container without the annotation network-mode. The mode bridge counts for those with an empty namespace only.',
  bridge: 'The bridge of Dom0 for the mode bridge.',
  bridgeAddresses:
    "The addresses of that bridge that vxn gives to containers, as FIRST-LAST/PREFIX. With '' a DHCP server gives them.",
  bridgeGateway:
    "The gateway of the default route in the mode bridge. With '' there is no route, or the route that DHCP gives.",
  logSize: "KiB of the program's output that `vxn-oci-runtime logs` keeps.",
  timelineDir: 'The folder where vxn keeps time lines after delete. With an empty text it keeps none.',
  annotations:
    'Names of the annotations that a container may carry, without the prefix org.openembedded.vxn. The character "*" stands for any characters.',
  hostPaths:
    'Patterns of the files in Dom0 that annotations and the vm section may name as kernel or initrd.',
};

/** The names of the settings, in the order of the runtime's own table. */
export const SETTING_NAMES = Object.keys(DEFAULTS) as (keyof Config)[];
