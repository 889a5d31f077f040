// SPDX-License-Identifier: MIT
import { execa } from 'execa';
import { debianMirror } from './mirror.ts';
import { SUITE } from './packages.ts';

export interface DebianTree {
  directory: string;
  architecture: string;
  packages: readonly string[];
  /** The Debian release, which is the lab's own by default. */
  suite?: string;
  /** `extract` only unpacks. `minbase` is an installed minimal system. */
  variant: 'extract' | 'minbase';
  /** Further mmdebstrap arguments. */
  options?: readonly string[];
  /** Environment of the maintainer scripts. */
  env?: Record<string, string>;
}

/** Makes a directory tree of Debian packages, from the mirror that the host's apt uses. */
export async function debianTree(tree: DebianTree): Promise<void> {
  const suite = tree.suite ?? SUITE;
  const args = [
    `--architectures=${tree.architecture}`,
    `--variant=${tree.variant}`,
    '--mode=root',
    '--aptopt=APT::Install-Recommends "false"',
    ...(await proxyOptions()),
    `--include=${tree.packages.join(',')}`,
    ...(tree.options ?? []),
    suite,
    tree.directory,
    `deb ${await debianMirror()} ${suite} main`,
  ];
  const { exitCode, all, command } = await execa('mmdebstrap', args, {
    all: true,
    reject: false,
    stdin: 'ignore',
    env: { LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', ...tree.env },
  });
  if (exitCode !== 0) {
    const tail = (all ?? '').split('\n').slice(-25).join('\n');
    throw new Error(`mmdebstrap failed (${exitCode}): ${command}\n${tail}`);
  }
}

/** mmdebstrap does not inherit the proxy of the host's apt. These options hand it over. */
async function proxyOptions(): Promise<string[]> {
  const { stdout } = await execa('apt-config', ['dump'], { reject: false });
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::https?::Proxy "./.test(line))
    .map((line) => `--aptopt=${line.replace(/;$/, '')}`);
}
