// SPDX-License-Identifier: MIT
// Every key that a target description knows.
import type { Form, SectionField, ValueOf } from './field.ts';

// Values go into shell scripts, TOML, JSON, YAML, unit files and a PATH. Quoting handles every
// other character. It cannot handle control characters and line ends of any kind, the separator of
// a PATH, and the wildcards of containerd's imports.
export const PATH: Form = {
  pattern:
    /^(?!.*\/\.{1,2}(?:\/|$))(?!.*\/\/)\/(?:[^\p{C}\p{Zl}\p{Zp}:*?[\]\\]*[^\p{C}\p{Zl}\p{Zp}:*?[\]\\/])?$/u,
  words:
    'an absolute path without "..", "//", a final "/", ":", a wildcard, a backslash or a control character',
};
const FILE_NAME: Form = {
  pattern: /^(?!\.{1,2}$)[^\p{C}\p{Zl}\p{Zp}:*?[\]\\/]+$/u,
  words: 'a file name',
};
const NAME: Form = {
  pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  words: 'a name of small letters, digits and "-", at most 63 long',
};
const MODULE: Form = { pattern: /^[A-Za-z0-9_-]{1,55}$/, words: 'the name of a kernel module' };
const UNIT: Form = {
  pattern: /^[A-Za-z0-9:_.@-]{1,240}\.(?:service|target|socket)$/,
  words: 'the name of a systemd unit',
};
const ONE_LINE: Form = { pattern: /^[^\p{C}\p{Zl}\p{Zp}]*$/u, words: 'one line without control characters' };
const LABEL: Form = {
  pattern:
    /^(?=.{1,317}$)(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?=(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/,
  words: 'a label as NAME=VALUE',
};
const CPU: Form = {
  pattern: /^(?:[0-9]{1,6}m|[0-9]{1,4}(?:\.[0-9]{1,3})?)$/,
  words: 'an amount of processors such as "250m" or "1"',
};

const path = (doc: string, value: string) => ({ kind: 'string', form: PATH, doc, default: value }) as const;

export const CONTAINERD_GENERATIONS = ['1.6', '1.7', '2.0', '2.1', '2.2', '2.3'] as const;

export const SCHEMA = {
  kind: 'section',
  doc: 'A target description.',
  fields: {
    extends: {
      kind: 'string',
      form: ONE_LINE,
      doc: 'The description that this one extends: a name that `vxn-config list` prints, or a file, relative to this one. Sections are merged key by key. Lists and values replace.',
    },
    description: {
      kind: 'string',
      form: ONE_LINE,
      doc: 'One line about the target. `vxn-config list` shows it.',
      default: '',
    },
    architecture: {
      kind: 'enum',
      values: ['x86_64', 'aarch64'],
      doc: 'The processor architecture of the target.',
    },
    guestType: {
      kind: 'enum',
      values: ['pv', 'pvh'],
      doc: 'The kind of Xen guest that a container becomes. aarch64 has only pvh. pvh on x86_64 needs hardware virtualization.',
      derived: 'pv on x86_64, pvh on aarch64',
    },
    engines: {
      kind: 'list',
      items: {
        kind: 'enum',
        values: ['containerd', 'docker', 'podman', 'k3s', 'kubernetes'],
        doc: 'An engine.',
      },
      doc: 'The engines that can use vxn. containerd means ctr, vctr and CRI. kubernetes means the RuntimeClass, for a cluster whose nodes run containerd.',
      default: ['containerd', 'docker', 'podman'],
    },
    paths: {
      kind: 'section',
      doc: 'The folders and files of the target.',
      fields: {
        bindir: path(
          'The folder of programs for users: vctr, vxn-oci-runtime, containerd-shim-vxn-v2.',
          '/usr/bin',
        ),
        sbindir: path('The folder where vxn looks first for xl, xenstore-read and mke2fs.', '/usr/sbin'),
        libexecdir: path(
          'The folder that holds the folder vxn with the runtime and its helpers.',
          '/usr/libexec',
        ),
        libdir: path('The folder that holds tmpfiles.d, modules-load.d and systemd.', '/usr/lib'),
        sysconfdir: path('The folder of configuration files.', '/etc'),
        datadir: path(
          'The folder of data for every architecture: bash completion, the RuntimeClass.',
          '/usr/share',
        ),
        localstatedir: path('The folder that holds lib/vxn and lib/rancher.', '/var'),
        node: path('The node that runs the runtime.', '/usr/bin/node'),
        blobs: {
          kind: 'string',
          form: PATH,
          doc: "The folder of the guest's kernel and initramfs.",
          derived: 'DATADIR/vxn/ARCHITECTURE',
        },
        kernel: {
          kind: 'string',
          form: FILE_NAME,
          doc: "The guest's kernel in blobs.",
          derived: 'bzImage on x86_64, Image on aarch64',
        },
        initramfs: {
          kind: 'string',
          form: FILE_NAME,
          doc: "The guest's initramfs in blobs.",
          default: 'initramfs.cpio.gz',
        },
      },
    },
    containerd: {
      kind: 'section',
      doc: 'containerd, with or without CRI.',
      fields: {
        version: {
          kind: 'enum',
          values: CONTAINERD_GENERATIONS,
          doc: 'The generation of containerd on the target. It decides the version of the configuration: 2 for 1.6 and 1.7, 3 for 2.0 to 2.2, 4 for 2.3.',
          default: '1.7',
        },
        configVersion: {
          kind: 'enum',
          values: ['2', '3', '4'],
          doc: 'The version at the head of the configuration. A drop-in must not be newer than the file that imports it, so lower this value to the version of that file.',
          derived: 'the newest that the generation knows',
        },
        layout: {
          kind: 'enum',
          values: ['file', 'drop-in'],
          doc: 'file: config.toml holds everything. drop-in: config.toml imports conf.d/50-vxn.toml. 1.6 and 1.7 do not merge imported plugin sections, so they take only file.',
          derived: 'file for 1.6 and 1.7, else drop-in',
        },
        handler: {
          kind: 'string',
          form: NAME,
          doc: 'The name by which CRI and Kubernetes ask for vxn.',
          default: 'vxn',
        },
        defaultRuntime: {
          kind: 'enum',
          values: ['runc', 'vxn'],
          doc: 'The runtime of a pod that names no handler. With k3s it must be runc.',
          default: 'runc',
        },
        form: {
          kind: 'enum',
          values: ['shim', 'runc-options'],
          doc: 'shim: the runtime type io.containerd.vxn.v2, which cannot fall back to runc. runc-options: the type io.containerd.runc.v2 with BinaryName, with which containerd asks the runtime for its features. It is refused for 2.0, because some of its releases then run the real runc.',
          default: 'shim',
        },
        snapshotter: {
          kind: 'string',
          form: NAME,
          doc: 'The snapshotter of CRI.',
          derived: "containerd's own default",
        },
        sandboxImage: {
          kind: 'string',
          form: { pattern: /^[a-z0-9](?:[A-Za-z0-9._:/@-]{0,254})$/, words: 'the name of an image' },
          doc: "The image of a pod's sandbox. Set it where containerd's default image cannot be pulled.",
          derived: "containerd's own default",
        },
        systemdCgroup: {
          kind: 'boolean',
          doc: "Whether systemd makes runc's cgroups. It has an effect with the form runc-options, and in the entry of runc that the configuration needs on 1.6 and 1.7.",
          default: false,
        },
      },
    },
    docker: {
      kind: 'section',
      doc: 'The engine docker.',
      fields: {
        defaultRuntime: {
          kind: 'enum',
          values: ['runc', 'vxn'],
          doc: 'The runtime of a container for which docker gets no --runtime.',
          default: 'runc',
        },
        form: {
          kind: 'enum',
          values: ['path', 'shim'],
          doc: 'path: docker calls vxn-oci-runtime by its path. Every docker can do this. shim: docker uses the runtime type io.containerd.vxn.v2, from docker 23 on.',
          default: 'path',
        },
      },
    },
    podman: {
      kind: 'section',
      doc: 'The engine podman.',
      fields: {
        defaultRuntime: {
          kind: 'enum',
          values: ['crun', 'runc', 'vxn'],
          doc: 'The runtime of a container for which podman gets no --runtime.',
          derived: "podman's own default",
        },
      },
    },
    kubernetes: {
      kind: 'section',
      doc: 'The RuntimeClass, for the engines kubernetes and k3s.',
      fields: {
        runtimeClass: {
          kind: 'string',
          form: NAME,
          doc: 'The name of the RuntimeClass, for runtimeClassName of a pod.',
          default: 'vxn',
        },
        overheadMemory: {
          kind: 'integer',
          min: 0,
          max: 65536,
          unit: 'MiB',
          doc: "Memory that a pod costs beside its containers' limits.",
          derived: 'defaults.memoryOverhead plus 32 for the helpers in Dom0',
        },
        overheadCpu: {
          kind: 'string',
          form: CPU,
          doc: "Processor time that a pod costs beside its containers' limits.",
          default: '50m',
        },
        nodeSelector: {
          kind: 'list',
          items: { kind: 'string', form: LABEL, doc: 'A label.' },
          doc: 'Labels of the nodes that have vxn, as NAME=VALUE. Kubernetes starts pods of the RuntimeClass on these nodes only.',
          default: [],
        },
      },
    },
    modules: {
      kind: 'list',
      items: { kind: 'string', form: MODULE, doc: 'A module.' },
      doc: 'Kernel modules that Dom0 loads at boot. A module that is built in does no harm.',
      default: [
        'xen-evtchn',
        'xen-gntdev',
        'xen-gntalloc',
        'xen-privcmd',
        'xenfs',
        'xen-blkback',
        'xen-netback',
        'loop',
        'sch_ingress',
        'act_mirred',
        'cls_matchall',
      ],
    },
    systemd: {
      kind: 'section',
      doc: "Drop-ins for the engines' units.",
      fields: {
        enable: { kind: 'boolean', doc: 'Whether the target runs systemd.', default: true },
        after: {
          kind: 'list',
          items: { kind: 'string', form: UNIT, doc: 'A unit.' },
          doc: 'Units that start before the engines, because an engine may restart containers at once. A unit that does not exist does no harm.',
          default: ['xenstored.service', 'xen-init-dom0.service', 'xenconsoled.service', 'xen.service'],
        },
      },
    },
    defaults: {
      kind: 'settings',
      doc: 'Settings of the runtime, as in /etc/vxn/vxn.yaml. Values that follow from other keys are optional.',
    },
  },
} as const satisfies SectionField;

/** A description as written: every key may be missing. */
export type Description = ValueOf<typeof SCHEMA>;
