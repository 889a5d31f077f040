// SPDX-License-Identifier: MIT
import { labArch } from './arch.ts';

/** Debian packages that the host needs to build and boot the lab, and to build native/ for it. */
export const HOST_PACKAGES: readonly string[] = [
  ...labArch.hostPackages,
  'busybox-static',
  'ca-certificates',
  'e2fsprogs',
  'kmod',
  'libc6-dev',
  'make',
  'mmdebstrap',
  'tar',
  'util-linux',
  'xz-utils',
  'zstd',
];

/** Debian packages of the Dom0 image. */
export const DOM0_PACKAGES: readonly string[] = [
  ...labArch.bootPackages,
  'aardvark-dns',
  'busybox-static',
  'ca-certificates',
  'conmon',
  'containerd',
  'containernetworking-plugins',
  'docker-cli',
  'docker.io',
  'e2fsprogs',
  'ethtool',
  'gawk',
  'iproute2',
  'iptables',
  'iputils-ping',
  'jq',
  'kmod',
  'libseccomp2',
  'netavark',
  'nftables',
  'nodejs',
  'podman',
  'procps',
  'psmisc',
  'runc',
  'socat',
  'strace',
  'udev',
  'util-linux',
  'xen-utils-4.20',
  'xenstore-utils',
];

/** Debian packages of the sysroot that native/ is compiled against. */
export const SYSROOT_PACKAGES: readonly string[] = ['libc6-dev', 'libseccomp-dev', 'libxen-dev'];

/** Debian release of Dom0 and of the sysroot. */
export const SUITE = 'trixie';
