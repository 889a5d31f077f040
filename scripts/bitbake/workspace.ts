// SPDX-License-Identifier: MIT
// Build directories for BitBake, offline. There is a quick one per machine, with stand-ins for the
// recipes of other layers. In a further one every recipe is real, and nothing is built.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bundledPackages } from '../recipe-inc/bundled.ts';
import { type Lock, lockEntry, packageName } from '../recipe-inc/lock.ts';
import { packageLabel } from '../recipe-inc/npm-inc.ts';
import type { Sources } from './sources.ts';

/**
 * Copies the layer as a user would clone it: without node_modules and the like, readable by
 * everyone, free to be edited.
 */
export function copyLayer(repository: string, folder: string): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  rmSync(folder, { recursive: true, force: true });
  for (const name of listed.split('\0').filter(Boolean)) {
    const from = join(repository, name);
    if (!existsSync(from)) continue;
    const to = join(folder, name);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    chmodSync(to, lstatSync(from).mode & 0o100 ? 0o755 : 0o644);
  }
}

/**
 * Puts the npm packages that the recipes fetch into a folder, under the names that the recipes give
 * their files.
 */
export function downloads(repository: string, folder: string): void {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
  const esbuild = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  const wanted = new Map<string, string>();
  for (const place of bundledPackages(repository)) {
    const { version } = lockEntry(lock, place);
    wanted.set(`npm-${packageLabel(packageName(place), version)}.tgz`, `${packageName(place)}@${version}`);
  }
  const { version } = lockEntry(lock, 'node_modules/esbuild');
  wanted.set(`npm-esbuild-${esbuild}-${version}.tgz`, `@esbuild/${esbuild}@${version}`);
  mkdirSync(folder, { recursive: true });
  for (const [file, name] of wanted) {
    const path = join(folder, file);
    if (existsSync(path)) continue;
    const work = join(folder, 'npm');
    mkdirSync(work, { recursive: true });
    // BitBake compares the checksum with the one in the recipe.
    const packed = execFileSync(
      'npm',
      ['pack', '--silent', '--prefer-offline', '--pack-destination', work, name],
      {
        cwd: work,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    copyFileSync(join(work, basename(packed.trim())), path);
    rmSync(work, { recursive: true });
  }
}

/** The lines of local.conf that every build directory has. */
export function commonConfig(machine: string, base: string): string[] {
  return [
    `MACHINE ?= "${machine}"`,
    'CONF_VERSION = "2"',
    'BB_NO_NETWORK = "1"',
    'BB_NUMBER_THREADS = "2"',
    'PARALLEL_MAKE = "-j 2"',
    `DL_DIR = "${base}/downloads"`,
    'INHERIT:remove = "uninative"',
    'INIT_MANAGER = "systemd"',
    'PACKAGE_CLASSES = "package_deb"',
    'DISTRO_FEATURES:append = " seccomp virtualization xen"',
    'SKIP_META_VIRT_SANITY_CHECK = "1"',
  ];
}

const bb = (variable: string, below = ''): string => `\${${variable}}${below}`;

const NOT_FOR_PSEUDO = [
  ...['/usr/', '/etc/', '/lib', '/bin/', '/dev/', '/run/'],
  ...['COREBASE', 'T', 'S', 'SSTATE_DIR', 'DL_DIR', 'STAMPS_DIR', 'DEPLOY_DIR'].map((name) => bb(name)),
  ...['recipe-sysroot', 'pkgdata-sysroot', 'spdx', 'deploy-', 'license-destdir'].map((f) =>
    bb('WORKDIR', `/${f}`),
  ),
  ...['sstate-control', 'pkgdata', 'sysroots', 'cache', 'buildstats', 'log', 'hosttools'].map((f) =>
    bb('TMPDIR', `/${f}`),
  ),
];

/**
 * The lines that keep the classes and configuration of the other layers, and only the few recipes
 * that are needed.
 */
export function quickConfig(base: string, machine: string, depends: readonly string[]): string[] {
  const own = join(base, machine);
  return [
    `TMPDIR = "${own}/tmp"`,
    `SSTATE_DIR = "${own}/sstate"`,
    `BB_HASHSERVE_DB_DIR = "${own}/sstate"`,
    // dwarfsrcfiles is a recipe of another layer. The task package splits debug sources with it.
    `BBMASK += "^(?!${base}/layer/)(?!.*/recipes-devtools/dwarfsrcfiles/).*/recipes-"`,
    ...['core', 'openembedded-layer', 'meta-python', 'networking-layer', 'filesystems-layer', 'selftest'].map(
      (collection) => `BBFILE_PATTERN_IGNORE_EMPTY_${collection} = "1"`,
    ),
    'BBFILE_PATTERN_IGNORE_EMPTY_virtualization-layer = "1"',
    'EXCLUDE_FROM_WORLD:pn-dwarfsrcfiles = "1"',
    'ASSUME_PROVIDED += "quilt-native patch-replacement-native rpm-native dpkg-native xz-native elfutils-native"',
    'HOSTTOOLS += "dpkg-deb dpkg-gencontrol node"',
    `RPMDEPS:forcevariable = "/usr/lib/rpm/rpmdeps --alldeps --define '__font_provides %{nil}'"`,
    // Debian's pseudo takes a list of paths to leave alone, not of paths to look at.
    `FAKEROOTENV:append = " PSEUDO_IGNORE_PATHS=${NOT_FOR_PSEUDO.join(',')}"`,
    ...depends.map((name) => `ASSUME_PROVIDED += "${name.replaceAll('+', '\\+')}"`),
  ];
}

/** Writes conf/ of a build directory. */
export function writeBuild(folder: string, layers: readonly string[], config: readonly string[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'conf'), { recursive: true });
  const list = layers.map((layer) => `  ${layer} \\\n`).join('');
  writeFileSync(
    join(folder, 'conf/bblayers.conf'),
    `LCONF_VERSION = "7"\nBBPATH = "\${TOPDIR}"\nBBFILES ?= ""\nBBLAYERS ?= " \\\n${list}"\n`,
  );
  writeFileSync(join(folder, 'conf/local.conf'), `${config.join('\n')}\n`);
}

/** The environment that oe-init-build-env would give. */
export function environment({ bitbake, core }: Sources, build: string, home: string): NodeJS.ProcessEnv {
  return {
    HOME: home,
    LANG: 'en_US.UTF-8',
    LC_ALL: 'en_US.UTF-8',
    TERM: 'dumb',
    // oe-selftest makes a repository of meta-selftest.
    GIT_CONFIG_COUNT: '3',
    GIT_CONFIG_KEY_0: 'user.name',
    GIT_CONFIG_VALUE_0: 'vxn',
    GIT_CONFIG_KEY_1: 'user.email',
    GIT_CONFIG_VALUE_1: 'vxn@localhost',
    GIT_CONFIG_KEY_2: 'init.defaultBranch',
    GIT_CONFIG_VALUE_2: 'main',
    PATH: [
      join(core, 'scripts'),
      join(bitbake, 'bin'),
      dirname(process.execPath),
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ].join(':'),
    BUILDDIR: build,
    BB_ENV_PASSTHROUGH_ADDITIONS: 'DISTRO MACHINE TCLIBC TMPDIR BB_NO_NETWORK',
  };
}
