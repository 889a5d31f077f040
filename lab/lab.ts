// SPDX-License-Identifier: MIT
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { type CpioEntry, cpio } from './cpio.ts';
import { LabError } from './errors.ts';
import { ensureImage } from './image.ts';
import { withLock } from './lock.ts';
import { bootMachine, currentMachine, type Machine, stopMachine } from './machine.ts';
import { type ExecOptions, type ExecResult, Session } from './session.ts';

export { LabError } from './errors.ts';
export type { ExecOptions, ExecResult, OutputHandler, Session } from './session.ts';

/** A file for {@link Lab.pushFiles}. */
export interface PushedFile {
  /** Absolute path in Dom0. Missing directories are made. */
  path: string;
  mode: number;
  data: Buffer | string;
}

export interface EnsureOptions {
  /** Gets the name of every phase of the work when it begins. */
  report?: (phase: string) => void;
}

/** The running lab. When it is down, this builds the missing parts and boots it. */
export async function ensureLab(options: EnsureOptions = {}): Promise<Lab> {
  const report = options.report ?? (() => {});
  const running = await currentLab();
  if (running) return running;
  const image = await ensureImage(report);
  return withLock('up', async () => {
    const machine = (await settledMachine()) ?? (await bootMachine(image, report));
    return new Lab(machine);
  });
}

/**
 * The lab if it is up and answers, else undefined. Waits for a boot that another process has begun.
 */
export async function currentLab(): Promise<Lab | undefined> {
  if (!(await currentMachine())) return undefined;
  const machine = await withLock('up', settledMachine);
  if (!machine) return undefined;
  const lab = new Lab(machine);
  await lab.exec(['true'], { timeoutMs: 60_000 }).catch((error: Error) => {
    throw new LabError(`the lab runs but does not answer (${error.message}); try: down, then up`);
  });
  return lab;
}

/**
 * The machine that has booted. The caller must hold the lock. An unfinished boot is then one that
 * was given up.
 */
async function settledMachine(): Promise<Machine | undefined> {
  const machine = await currentMachine();
  if (!machine || machine.ready) return machine;
  await stopMachine(machine);
  return undefined;
}

/** Dom0 of the lab, seen from the host. */
export class Lab {
  constructor(readonly machine: Machine) {}

  /** Starts a command in Dom0, without a shell. */
  spawn(argv: readonly string[], options: ExecOptions = {}): Session {
    return new Session(this.machine, argv, options);
  }

  /** Runs a command in Dom0, without a shell. A non-zero status is a result, not an error. */
  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.spawn(argv, options).result;
  }

  /** Runs a shell script in Dom0. */
  sh(script: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.exec(['/bin/sh', '-c', script], options);
  }

  /**
   * Copies a file, or a directory's content, to `dom0Path`. Modes are kept, and root owns
   * everything.
   */
  async push(hostPath: string, dom0Path: string): Promise<void> {
    const info = await stat(hostPath);
    await (info.isDirectory()
      ? this.#pushDirectory(hostPath, dom0Path)
      : this.#pushFile(hostPath, dom0Path, info.mode & 0o7777));
  }

  async #pushDirectory(hostPath: string, dom0Path: string): Promise<void> {
    const pack = ['-c', '--owner=0', '--group=0', '--numeric-owner', '-C', hostPath, '.'];
    const tar = execa('tar', pack, { buffer: false });
    const stdin = tar.readable(); // keeps the data until it is read
    const unpack = ['/bin/sh', '-c', 'mkdir -p "$1" && tar -x -p -C "$1"', 'push', dom0Path];
    const [result] = await Promise.all([this.exec(unpack, { stdin }), tar]);
    succeed(result, `push ${hostPath} to ${dom0Path}`);
  }

  async #pushFile(hostPath: string, dom0Path: string, mode: number): Promise<void> {
    const write = 'mkdir -p "$(dirname "$1")" && cat >"$1.$$" && chmod "$2" "$1.$$" && mv -f "$1.$$" "$1"';
    const argv = ['/bin/sh', '-c', write, 'push', dom0Path, mode.toString(8)];
    const result = await this.exec(argv, { stdin: createReadStream(hostPath) });
    succeed(result, `push ${hostPath} to ${dom0Path}`);
  }

  /** Copies a file, or a directory's content, out of Dom0. Modes are kept. */
  async pull(dom0Path: string, hostPath: string): Promise<void> {
    const look = 'if [ -d "$P" ]; then echo directory; else stat -Lc %a "$P"; fi';
    const kind = await this.sh(look, { env: { P: dom0Path } });
    succeed(kind, `pull ${dom0Path}`);
    const answer = kind.stdout.toString().trim();
    if (answer === 'directory') await this.#pullDirectory(dom0Path, hostPath);
    else await this.#pullFile(dom0Path, hostPath, Number.parseInt(answer, 8));
  }

  async #pullDirectory(dom0Path: string, hostPath: string): Promise<void> {
    await mkdir(hostPath, { recursive: true });
    const tar = execa('tar', ['-x', '-p', '--no-same-owner', '-C', hostPath]);
    const onStdout = (chunk: Buffer) =>
      new Promise<void>((resolve, reject) => {
        tar.stdin.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    const result = await this.exec(['tar', '-c', '-C', dom0Path, '.'], { onStdout, collect: false });
    tar.stdin.end();
    await tar;
    succeed(result, `pull ${dom0Path}`);
  }

  async #pullFile(dom0Path: string, hostPath: string, mode: number): Promise<void> {
    const work = `${hostPath}.${process.pid}.part`;
    const file = await open(work, 'w', mode);
    try {
      const onStdout = async (chunk: Buffer) => void (await file.writeFile(chunk));
      succeed(await this.exec(['cat', dom0Path], { onStdout, collect: false }), `pull ${dom0Path}`);
      await file.chmod(mode);
    } finally {
      await file.close();
    }
    await rename(work, hostPath);
  }

  /** Writes files into Dom0 at once. Existing files are replaced. */
  async pushFiles(files: readonly PushedFile[]): Promise<void> {
    const entries = files.map(
      ({ path, mode, data }): CpioEntry => ({ type: 'file', path, mode, data: Buffer.from(data) }),
    );
    const unpack = ['busybox', 'cpio', '-i', '-d', '-u'];
    succeed(await this.exec(unpack, { cwd: '/', stdin: cpio(entries) }), 'pushFiles');
  }

  /** Stops the machine. Its changes are lost: the next boot starts clean. */
  async down(): Promise<void> {
    await stopMachine(this.machine);
  }
}

function succeed(result: ExecResult, what: string): void {
  if (result.status !== 0)
    throw new LabError(`${what}: ${result.stderr.toString().trim() || `status ${result.status}`}`);
}
