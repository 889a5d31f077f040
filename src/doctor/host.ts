// SPDX-License-Identifier: MIT
// The machine as the doctor's checks see it: one object, so that tests put another in its place.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { errno } from '../host/errors.ts';

export interface FileFacts {
  kind: 'file' | 'folder' | 'other';
  /** Permission bits. */
  mode: number;
  uid: number;
  size: number;
  /** The same for two names of one file. */
  identity: string;
  executable: boolean;
}

export interface Ran {
  /** The program was not found. */
  missing: boolean;
  /** null: killed, or out of time. */
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

export interface Process {
  name: string;
  environment: Readonly<Record<string, string>>;
}

export interface Host {
  euid: number;
  arch: string;
  kernelRelease: string;
  node: { version: string; path: string; ownSnapshot: boolean };
  /** The file's content, links followed; undefined when there is none or it cannot be read. */
  read(path: string): Buffer | undefined;
  /** undefined when there is no such file. */
  stat(path: string): FileFacts | undefined;
  /** Names in a folder, sorted; none when there is no such folder. */
  list(path: string): string[];
  /** Type and free bytes of the file system that path is on, as statfs(2) says. */
  fileSystem(path: string): { type: number; free: number } | undefined;
  run(command: string, args: readonly string[], input?: Buffer): Ran;
  /** Where a program is in these folders, separated by colons. */
  which(command: string, path: string): string | undefined;
  processes(name: string): Process[];
}

// A Dom0 under load is slow, one that is broken hangs.
const RUN_MS = 60_000;
const OUTPUT_MAX = 256 << 20;

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function stat(path: string): FileFacts | undefined {
  const st = quietly(() => statSync(path));
  if (st === undefined) return undefined;
  return {
    kind: st.isFile() ? 'file' : st.isDirectory() ? 'folder' : 'other',
    mode: st.mode & 0o7777,
    uid: st.uid,
    size: st.size,
    identity: `${st.dev}:${st.ino}`,
    executable: quietly(() => accessSync(path, constants.X_OK)) === undefined && (st.mode & 0o111) !== 0,
  };
}

function run(command: string, args: readonly string[], input?: Buffer): Ran {
  const result = spawnSync(command, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
    timeout: RUN_MS,
    maxBuffer: OUTPUT_MAX,
  });
  return {
    missing: errno(result.error) === 'ENOENT',
    status: result.status,
    stdout: result.stdout ?? Buffer.alloc(0),
    stderr: (result.stderr ?? '').toString(),
  };
}

function environmentOf(pid: string): Record<string, string> {
  const text = quietly(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
  const entries = text.split('\0').flatMap((line): [string, string][] => {
    const eq = line.indexOf('=');
    return eq < 0 ? [] : [[line.slice(0, eq), line.slice(eq + 1)]];
  });
  return Object.fromEntries(entries);
}

function processes(name: string): Process[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    const comm = quietly(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
    // The kernel keeps 15 bytes.
    return comm === name.slice(0, 15) ? [{ name, environment: environmentOf(pid) }] : [];
  });
}

function which(command: string, path: string): string | undefined {
  if (command.includes('/')) return stat(command)?.executable ? command : undefined;
  return path
    .split(':')
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find((file) => stat(file)?.kind === 'file' && stat(file)?.executable === true);
}

/** This machine. */
export function realHost(): Host {
  const variables = process.config.variables as Record<string, unknown>;
  return {
    euid: process.geteuid?.() ?? -1,
    arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    kernelRelease: release(),
    node: {
      version: process.versions.node,
      path: quietly(() => realpathSync(process.execPath)) ?? process.execPath,
      ownSnapshot: variables.node_use_node_snapshot === true,
    },
    read: (path) => quietly(() => readFileSync(path)),
    stat,
    list: (path) => quietly(() => readdirSync(path).sort()) ?? [],
    fileSystem: (path) =>
      quietly(() => {
        const { type, bavail, bsize } = statfsSync(path);
        return { type, free: bavail * bsize };
      }),
    run,
    which,
    processes,
  };
}
