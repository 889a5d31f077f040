// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { labArch } from './arch.ts';
import { debianTree } from './debootstrap.ts';
import { exists } from './exists.ts';
import { glob } from './glob.ts';
import { withLock } from './lock.ts';
import { moduleFiles } from './modules.ts';
import { DOM0_PACKAGES, SUITE } from './packages.ts';
import { statePath } from './paths.ts';
import { removeOthers } from './prune.ts';

/**
 * A built Dom0 image and the files that boot it. Nothing writes to it: every boot has a throw-away
 * overlay.
 */
export interface Image {
  directory: string;
  /** ext4 file system of Dom0. */
  disk: string;
  /** The hypervisor, unpacked for QEMU's multiboot loader. */
  xen: string;
  /** Debian's kernel, for Dom0 and for the guests. */
  vmlinuz: string;
  /** Static busybox for initramfs. */
  busybox: string;
  /** Directory for modprobe's -d: holds lib/modules/VERSION. */
  modules: string;
  /** Version of the kernel. */
  kernelVersion: string;
}

/** Everything that decides the content of an image. Its hash is the name of the image. */
const RECIPE = {
  version: 1,
  architecture: labArch.debian,
  suite: SUITE,
  packages: DOM0_PACKAGES,
  options: [
    '--dpkgopt=force-unsafe-io',
    '--dpkgopt=force-confold',
    ...['doc', 'info', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    // The lab has an initramfs of its own. To make Debian's would take longer than all the rest.
    '--essential-hook=mkdir -p "$1"/etc/initramfs-tools' +
      ' && echo update_initramfs=no >"$1"/etc/initramfs-tools/update-initramfs.conf',
    '--customize-hook=rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/boot/*.efi',
  ],
  env: { INITRD: 'No' },
  freeMiB: 4096,
  // The disk is thrown away after every boot, so it needs no journal and no checksums.
  mkfs: ['-O', '^has_journal,^metadata_csum', '-m', '0', '-L', 'dom0'],
  // The modules are unpacked in the image, because xz is slow under emulation.
  unpackedModules: [
    ...labArch.dom0Modules,
    'act_mirred',
    'br_netfilter',
    'cls_matchall',
    'ip6_tables',
    'ip6table_filter',
    'ip6table_nat',
    'ip_tables',
    'iptable_filter',
    'iptable_nat',
    'nf_tables',
    'nft_chain_nat',
    'nft_compat',
    'nft_ct',
    'nft_fib_inet',
    'nft_masq',
    'nft_nat',
    'nft_reject_inet',
    'sch_ingress',
    'xt_addrtype',
    'xt_comment',
    'xt_conntrack',
    'xt_mark',
    'xt_MASQUERADE',
    'xt_multiport',
    'xt_nat',
    'xt_tcpudp',
  ],
};

/** Builds the Dom0 image when it is missing or its recipe has changed. */
export async function ensureImage(report: (phase: string) => void = () => {}): Promise<Image> {
  const key = createHash('sha256').update(JSON.stringify(RECIPE)).digest('hex').slice(0, 12);
  const name = `${labArch.debian}-${key}`;
  const directory = statePath('images', name);
  if (!(await exists(directory))) {
    await withLock('image', async () => {
      if (await exists(directory)) return;
      await mkdir(path.dirname(directory), { recursive: true });
      await removeOthers(path.dirname(directory), /^tmp-/, []);
      const work = await mkdtemp(path.join(path.dirname(directory), 'tmp-'));
      try {
        await build(work, report);
        await rename(path.join(work, 'image'), directory);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
      await removeOthers(path.dirname(directory), new RegExp(`^${labArch.debian}-`), [name]);
    });
  }
  return describe(directory);
}

async function build(work: string, report: (phase: string) => void): Promise<void> {
  const tree = path.join(work, 'tree');
  const out = path.join(work, 'image');
  await mkdir(path.join(out, 'kernel/lib/modules'), { recursive: true });

  report('installing Debian packages');
  await debianTree({
    directory: tree,
    architecture: RECIPE.architecture,
    packages: RECIPE.packages,
    variant: 'minbase',
    options: RECIPE.options,
    env: RECIPE.env,
  });

  report('unpacking kernel, modules and hypervisor');
  const [xen] = await glob(path.join(tree, 'boot'), labArch.xenFile);
  const [vmlinuz] = await glob(path.join(tree, 'boot'), /^vmlinuz-/);
  if (!xen || !vmlinuz) throw new Error('the packages brought no hypervisor or no kernel into /boot');
  const version = path.basename(vmlinuz).slice('vmlinuz-'.length);
  await writeFile(path.join(out, 'xen'), gunzipSync(await readFile(xen)));
  await copyFile(vmlinuz, path.join(out, 'vmlinuz'));
  await copyFile(path.join(tree, 'usr/bin/busybox'), path.join(out, 'busybox'));
  const packed = await moduleFiles(tree, version, RECIPE.unpackedModules);
  await execa('xz', ['-d', ...packed.filter((file) => file.endsWith('.xz'))]);
  await execa('depmod', ['-b', tree, version]);
  await cp(path.join(tree, 'usr/lib/modules', version), path.join(out, 'kernel/lib/modules', version), {
    recursive: true,
  });

  report('writing the disk image');
  const disk = path.join(out, 'root.ext4');
  const { stdout } = await execa('du', ['-sm', '--apparent-size', tree]);
  const size = Math.ceil(Number.parseInt(stdout, 10) * 1.15) + RECIPE.freeMiB;
  await execa('mke2fs', ['-q', '-t', 'ext4', ...RECIPE.mkfs, '-d', tree, disk, `${size}M`]);
}

async function describe(directory: string): Promise<Image> {
  const modules = path.join(directory, 'kernel');
  const [kernelVersion] = await readdir(path.join(modules, 'lib/modules'));
  if (!kernelVersion) throw new Error(`${directory} holds no kernel modules; remove it to have it rebuilt`);
  return {
    directory,
    disk: path.join(directory, 'root.ext4'),
    xen: path.join(directory, 'xen'),
    vmlinuz: path.join(directory, 'vmlinuz'),
    busybox: path.join(directory, 'busybox'),
    modules,
    kernelVersion,
  };
}
