// SPDX-License-Identifier: MIT
// Looks at this machine for the answers that `init` proposes.
import { execa } from 'execa';
import { CONTAINERD_GENERATIONS } from './schema.ts';
import type { Engine, Generation } from './target.ts';

export interface Detected {
  architecture: 'x86_64' | 'aarch64';
  containerd: Generation | undefined;
  engines: Engine[];
}

/**
 * The first line that a program prints for --version, or undefined when there is no such program.
 */
async function versionOf(program: string): Promise<string | undefined> {
  const { stdout, failed } = await execa(program, ['--version'], {
    reject: false,
    stdin: 'ignore',
    timeout: 10_000,
  });
  return failed ? undefined : (stdout.split('\n')[0] ?? '');
}

/** The generation in a line such as `containerd github.com/containerd/containerd v1.7.24 ...`. */
export function generationOf(line: string): Generation | undefined {
  const found = /\bv?(\d+\.\d+)\.\d/.exec(line)?.[1];
  return CONTAINERD_GENERATIONS.find((generation) => generation === found);
}

/** Looks at the programs of this machine. */
export async function detect(): Promise<Detected> {
  const names = ['containerd', 'dockerd', 'podman', 'k3s'] as const;
  const [containerd, docker, podman, k3s] = await Promise.all(names.map(versionOf));
  const engines: Engine[] = [];
  if (containerd !== undefined) engines.push('containerd');
  if (docker !== undefined) engines.push('docker');
  if (podman !== undefined) engines.push('podman');
  if (k3s !== undefined) engines.push('k3s');
  return {
    architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    containerd: containerd === undefined ? undefined : generationOf(containerd),
    engines,
  };
}
