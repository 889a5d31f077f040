// SPDX-License-Identifier: MIT

// include/uapi/linux/mount.h
const MS_RDONLY = 1n;
const MS_REC = 16384n;
export const MS_BIND = 4096n;

const SET: Readonly<Record<string, bigint>> = {
  ro: MS_RDONLY,
  nosuid: 2n,
  nodev: 4n,
  noexec: 8n,
  sync: 16n,
  remount: 32n,
  mand: 64n,
  dirsync: 128n,
  nosymfollow: 256n,
  noatime: 1024n,
  nodiratime: 2048n,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
  silent: 32768n,
  relatime: 1n << 21n,
  iversion: 1n << 23n,
  strictatime: 1n << 24n,
  lazytime: 1n << 25n,
};

const CLEAR: Readonly<Record<string, bigint>> = {
  rw: MS_RDONLY,
  suid: 2n,
  dev: 4n,
  exec: 8n,
  async: 16n,
  nomand: 64n,
  symfollow: 256n,
  atime: 1024n,
  diratime: 2048n,
  norelatime: 1n << 21n,
  noiversion: 1n << 23n,
  nostrictatime: 1n << 24n,
  nolazytime: 1n << 25n,
  loud: 32768n,
};

const PROPAGATION: Readonly<Record<string, bigint>> = {
  unbindable: 1n << 17n,
  runbindable: (1n << 17n) | MS_REC,
  private: 1n << 18n,
  rprivate: (1n << 18n) | MS_REC,
  slave: 1n << 19n,
  rslave: (1n << 19n) | MS_REC,
  shared: 1n << 20n,
  rshared: (1n << 20n) | MS_REC,
};

/** The MS_* flag of a propagation such as `rslave`, or undefined when the name is unknown. */
export function propagationFlag(name: string): bigint | undefined {
  return Object.hasOwn(PROPAGATION, name) ? PROPAGATION[name] : undefined;
}

export interface MountOptions {
  /** MS_* flags of mount(2). */
  flags: bigint;
  /** The propagation flag such as MS_PRIVATE, or 0n when the options name none. */
  propagation: bigint;
  /** The options for the file system itself, joined by commas. */
  data: string;
}

/** The options that `features` lists. */
export const MOUNT_OPTIONS: readonly string[] = [SET, CLEAR, PROPAGATION]
  .flatMap((t) => Object.keys(t))
  .sort();

/**
 * Splits the options of an OCI mount into flags, propagation and data for the file system. An
 * unknown option counts as data.
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0n;
  let propagation = 0n;
  const data: string[] = [];
  for (const option of options) {
    // podman adds tmpcopyup to every --tmpfs. The root's files are not copied
    // (docs/limitations.md).
    if (option === 'defaults' || option === 'tmpcopyup') continue;
    if (Object.hasOwn(SET, option)) flags |= SET[option] ?? 0n;
    else if (Object.hasOwn(CLEAR, option)) flags &= ~(CLEAR[option] ?? 0n);
    else if (Object.hasOwn(PROPAGATION, option)) propagation = PROPAGATION[option] ?? 0n;
    else data.push(option);
  }
  return { flags, propagation, data: data.join(',') };
}
