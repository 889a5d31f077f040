// SPDX-License-Identifier: MIT
// The Debian packages that the lab, the tests and the benchmarks need on this machine.
import { spawnSync } from 'node:child_process';

/** The packages for the native tests and their fuzz target. */
export const NATIVE_PACKAGES: readonly string[] = [
  'gcc',
  'make',
  'libc6-dev',
  'libseccomp-dev',
  'libxen-dev',
  'clang',
  'busybox-static',
  'iproute2',
];

/** The packages for the check of the folders' order, which reads the calls in native/'s objects. */
export const LINT_PACKAGES: readonly string[] = [
  'gcc',
  'make',
  'libc6-dev',
  'libseccomp-dev',
  'libxen-dev',
  'shellcheck',
];

/** The packages for the unit tests. They build real images, and run the agent on this machine. */
export const UNIT_PACKAGES: readonly string[] = [
  'gcc',
  'make',
  'libc6-dev',
  'libseccomp-dev',
  'libxen-dev',
  'attr',
  'cpio',
  'e2fsprogs',
  'groff-base',
  'util-linux',
  'mount',
  'iproute2',
  'busybox-static',
  'mmdebstrap',
  'patch',
  'procps',
  'python3',
  'shellcheck',
  'systemd',
];

export const BENCH_PACKAGES: readonly string[] = ['runc', 'busybox-static', 'e2fsprogs', 'gcc', 'libc6-dev'];

/** The names among packages that dpkg does not have as installed. */
export function missingPackages(packages: readonly string[]): string[] {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own syntax
  const query = spawnSync('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...packages], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (query.error !== undefined) {
    throw new Error(`dpkg-query: ${query.error.message}; this needs Debian, or a relative of it`);
  }
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((l) => l.endsWith(' installed'))
      .map((l) => l.split(' ')[0] ?? ''),
  );
  return [...new Set(packages)].filter((p) => !installed.has(p));
}

function apt(...args: string[]): void {
  const { status, error } = spawnSync('apt-get', args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (error !== undefined) throw new Error(`apt-get: ${error.message}`);
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed`);
}

/** Installs the packages that are missing. Throws when that needs root, or fails. */
export function ensureHostPackages(packages: readonly string[]): void {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`packages are missing; as root: apt-get install ${missing.join(' ')}`);
  }
  process.stderr.write(`installing ${missing.join(' ')}\n`);
  apt('update', '-q');
  apt('install', '-q', '-y', '--no-install-recommends', ...missing);
}

/**
 * Installs the sanitizers of clang. clang does not depend on them, and the name of their package
 * holds its version.
 */
export function ensureSanitizers(): void {
  const version = /clang version (\d+)/.exec(
    spawnSync('clang', ['--version'], { encoding: 'utf8' }).stdout,
  )?.[1];
  if (version !== undefined) ensureHostPackages([`libclang-rt-${version}-dev`]);
}
