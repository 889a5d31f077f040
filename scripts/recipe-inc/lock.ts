// SPDX-License-Identifier: MIT
// Reads entries of package-lock.json.

/** An entry of `packages`. Its key is the package's folder, such as node_modules/yaml. */
export interface LockEntry {
  version: string;
  /** Subresource integrity: `sha512-` and base64. */
  integrity: string;
  license?: string;
}

export interface Lock {
  packages: Readonly<Record<string, LockEntry | undefined>>;
}

/** The name of the package in a folder of node_modules. */
export function packageName(folder: string): string {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The entry of a folder. Throws when the lock file has none, or none with a checksum. */
export function lockEntry(lock: Lock, folder: string): LockEntry {
  const entry = lock.packages[folder];
  if (entry?.integrity === undefined) throw new Error(`package-lock.json has no checksum for ${folder}`);
  return entry;
}

/** The SHA-512 of a package's tarball in hexadecimal digits. */
export function sha512(lock: Lock, folder: string): string {
  const { integrity } = lockEntry(lock, folder);
  const word = integrity.split(' ').find((w) => w.startsWith('sha512-'));
  if (word === undefined) throw new Error(`package-lock.json has no SHA-512 for ${folder}`);
  return Buffer.from(word.slice('sha512-'.length), 'base64').toString('hex');
}
