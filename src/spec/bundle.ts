// SPDX-License-Identifier: MIT
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import type { Json } from './read.ts';
import { withOwnShm } from './shm.ts';
import { type Mount, parseSpec, type Spec } from './spec.ts';

const CONFIG_MAX = 16 << 20;
const CHUNK = 64 << 10;

export interface Bundle {
  path: string;
  /** The text of config.json. */
  text: string;
  raw: Json;
  spec: Spec;
  /** The path of the rootfs, with links resolved. */
  rootfs: string;
}

/** Parses the text of a config.json. Throws INVALID_SPEC, UNSUPPORTED. */
export function parseConfigText(text: string): { raw: Json; spec: Spec } {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new VxnError('INVALID_SPEC', `config.json: ${messageOf(error)}`);
  }
  return { spec: parseSpec(raw), raw: raw as Json };
}

/**
 * The mounts as the guest gets them. The source of a bind mount may be relative to the bundle
 * (runtime-spec config.md).
 */
export function guestMounts(mounts: readonly Mount[], bundle: string): Mount[] {
  return mounts.map((mount) =>
    mount.type === 'bind' ? withOwnShm({ ...mount, source: resolve(bundle, mount.source) }) : mount,
  );
}

/** True when a parsed config.json names a hook. The hook itself is not checked. */
export function hasHooks(raw: Json): boolean {
  const { hooks } = raw;
  return (
    typeof hooks === 'object' &&
    hooks !== null &&
    Object.values(hooks).some((list) => list !== null && list.length !== 0)
  );
}

/** All that a descriptor has to read; when that is more than so many bytes, at least one more. */
function readBounded(fd: number, most: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total <= most) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const n = readSync(fd, chunk);
    if (n === 0) break;
    chunks.push(chunk.subarray(0, n));
    total += n;
  }
  return Buffer.concat(chunks, total);
}

/** Opens a file that may be a link to one. Throws INVALID_BUNDLE when it is anything else. */
function openRegular(file: string): number {
  const check = (isFile: boolean): void => {
    if (!isFile) throw new VxnError('INVALID_BUNDLE', `${file} is not a regular file`);
  };
  // Opening alone has an effect on some devices.
  check(statSync(file).isFile());
  // Something else may lie there by now: a FIFO must not block.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    check(fstatSync(fd).isFile());
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readRegular(file: string): string {
  const fd = openRegular(file);
  try {
    const data = readBounded(fd, CONFIG_MAX);
    if (data.length <= CONFIG_MAX) return data.toString('utf8');
    throw new VxnError('INVALID_BUNDLE', `${file} is larger than 16 MiB`);
  } finally {
    closeSync(fd);
  }
}

function readConfig(path: string): string {
  const file = join(path, 'config.json');
  try {
    return readRegular(file);
  } catch (error) {
    if (error instanceof VxnError) throw error;
    const why = errno(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new VxnError('INVALID_BUNDLE', `${file}: ${why}`, { hint: 'is --bundle right?' });
  }
}

/**
 * Reads and checks the bundle at an absolute path (runtime-spec bundle.md). Throws INVALID_BUNDLE,
 * INVALID_SPEC, UNSUPPORTED.
 */
export function readBundle(path: string): Bundle {
  const text = readConfig(path);
  const { raw, spec } = parseConfigText(text);
  spec.mounts = guestMounts(spec.mounts, path);
  const rootfs = resolve(path, spec.root.path);
  try {
    if (!statSync(rootfs).isDirectory())
      throw new VxnError('INVALID_BUNDLE', `rootfs ${rootfs} is not a directory`);
    return { path, text, raw, spec, rootfs: realpathSync(rootfs) };
  } catch (error) {
    if (error instanceof VxnError) throw error;
    const why = errno(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new VxnError('INVALID_BUNDLE', `rootfs ${rootfs} ${why}`);
  }
}
