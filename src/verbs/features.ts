// SPDX-License-Identifier: MIT
import { HOOKS } from '../container/hooks.ts';
import { SECCOMP_FEATURES } from '../container/seccomp.ts';
import { ANNOTATION_NAMES, ANNOTATION_PREFIX } from '../spec/annotations.ts';
import { CAPABILITIES } from '../spec/capabilities.ts';
import { MOUNT_OPTIONS } from '../spec/mount-options.ts';
import { OCI_VERSION } from '../spec/spec.ts';

/**
 * `features`: the features structure of the runtime specification (features.md). `linux` must be
 * there: several releases of containerd panic without it. The user namespace and idmap are left
 * out, because each container is a machine of its own already.
 */
export function features(version: string): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: OCI_VERSION,
    hooks: HOOKS,
    mountOptions: MOUNT_OPTIONS,
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'uts'],
      capabilities: CAPABILITIES,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: false },
      seccomp: SECCOMP_FEATURES,
      apparmor: { enabled: false },
      selinux: { enabled: false },
      intelRdt: { enabled: false },
      netDevices: { enabled: false },
      mountExtensions: { idmap: { enabled: false } },
    },
    annotations: { 'org.openembedded.vxn.version': version },
    potentiallyUnsafeConfigAnnotations: [
      ANNOTATION_PREFIX,
      ...ANNOTATION_NAMES.map((name) => `${ANNOTATION_PREFIX}${name}`),
    ],
  };
}
