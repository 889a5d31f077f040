// SPDX-License-Identifier: MIT
// The build host: Debian's packages, the locale that BitBake insists on, and a plain user, because
// BitBake refuses root.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ensureHostPackages } from '../host-packages.ts';

const PACKAGES = [
  ...['chrpath', 'cpio', 'diffstat', 'dpkg-dev', 'file', 'g++', 'gawk', 'gcc', 'git', 'libdw-dev', 'locales'],
  ...[
    'lz4',
    'make',
    'mmdebstrap',
    'patch',
    'pseudo',
    'python3',
    'rpcsvc-proto',
    'rpm',
    'wget',
    'xz-utils',
    'zstd',
  ],
];
const ARM_PACKAGES = ['gcc-aarch64-linux-gnu'];

export interface User {
  name: string;
  home: string;
  /** The words before a command that is to run as this user. */
  prefix: readonly string[];
}

const LOCALE = /^en_US\.utf-?8$/im;

function ensureLocale(): void {
  const has = (): boolean => LOCALE.test(spawnSync('locale', ['-a'], { encoding: 'utf8' }).stdout);
  if (has()) return;
  if (process.getuid?.() === 0 && existsSync('/etc/locale.gen')) {
    const text = readFileSync('/etc/locale.gen', 'utf8');
    writeFileSync('/etc/locale.gen', text.replace(/^# *(en_US\.UTF-8 UTF-8)/m, '$1'));
    spawnSync('locale-gen', { stdio: 'ignore' });
  }
  if (!has()) throw new Error('the locale en_US.UTF-8 is missing, which BitBake insists on');
}

/**
 * Makes the host fit for builds. Throws when a package or the locale is missing and cannot be
 * installed.
 */
export function ensureHost(): void {
  ensureHostPackages([...PACKAGES, ...ARM_PACKAGES]);
  ensureLocale();
}

/** The calling user, or a user of that name when root calls. */
export function ensureUser(name: string, home: string): User {
  if (process.getuid?.() !== 0) {
    const me = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
    return { name: me, home, prefix: [] };
  }
  if (spawnSync('id', [name], { stdio: 'ignore' }).status !== 0) {
    execFileSync('useradd', ['--system', '--create-home', '--shell', '/bin/bash', name]);
  }
  return { name, home, prefix: ['runuser', '-u', name, '--'] };
}
