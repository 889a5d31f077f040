// SPDX-License-Identifier: MIT
// npm run test:bitbake [STEP...]: runs BitBake itself, offline, with this repository as a layer.
//
// BITBAKE_DIR and OE_CORE_DIR name checkouts of bitbake and openembedded-core of one release.
// META_OE_DIR and META_VIRTUALIZATION_DIR name meta-openembedded and meta-virtualization. Without
// them these are searched beside openembedded-core. The last line is "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleTree, deployKernel, runContainer } from './bitbake/dom0.ts';
import { ensureHost, ensureUser, type User } from './bitbake/host.ts';
import { findSources, type Sources } from './bitbake/sources.ts';
import { writeStandIns } from './bitbake/stand-ins.ts';
import { Steps } from './bitbake/steps.ts';
import {
  compilerConfig,
  compilerNames,
  ensureSysroot,
  libcFiles,
  MACHINES,
  type Machine,
} from './bitbake/toolchain.ts';
import {
  commonConfig,
  copyLayer,
  downloads,
  environment,
  quickConfig,
  writeBuild,
} from './bitbake/workspace.ts';

const ROOT = join(import.meta.dirname, '..');
const BASE = process.env.VXN_BITBAKE_DIR ?? '/var/tmp/vxn-bitbake';
const LAYER = join(BASE, 'layer/vxn');
const TASKS = ['install', 'package_qa', 'package_write_deb'];
/** The steps in the build directory of a machine with a cross compiler. */
const CROSS_STEPS = ['parse', 'tasks'];
/** The steps in the build directory of a machine with the host's own compiler. */
const HOST_STEPS = [...CROSS_STEPS, 'selftest', 'dom0', 'check-layer'];
const STEPS = [...HOST_STEPS, 'multiconfig', 'resolve'];

/** Our recipes, by their files. */
function recipes(): { name: string; file: string }[] {
  return readdirSync(LAYER)
    .filter((folder) => folder.startsWith('recipes-'))
    .flatMap((folder) => readdirSync(join(LAYER, folder)).map((below) => join(LAYER, folder, below)))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith('.bb'))
    .map((file) => ({ name: file.slice(file.lastIndexOf('/') + 1).replace(/_.*/, ''), file }));
}

class Bench {
  readonly steps: Steps;
  private readonly series: string;

  constructor(
    private readonly sources: Sources,
    private readonly user: User,
  ) {
    this.steps = new Steps(join(BASE, 'logs'), user);
    const conf = readFileSync(join(sources.core, 'meta/conf/layer.conf'), 'utf8');
    this.series = /^LAYERSERIES_COMPAT_core = "([^"]*)"/m.exec(conf)?.[1] ?? '';
  }

  private own(): void {
    if (this.user.prefix.length > 0) execFileSync('chown', ['-R', this.user.name, BASE]);
  }

  private env(build: string): NodeJS.ProcessEnv {
    return environment(this.sources, build, this.user.home);
  }

  private run(
    name: string,
    build: string,
    command: readonly string[],
    check?: (o: string) => string | undefined,
  ) {
    this.own();
    return this.steps.step(name, command, build, this.env(build), check);
  }

  private get core(): string {
    return join(this.sources.core, 'meta');
  }

  /** DEPENDS and RDEPENDS of all recipes, as BitBake has them. */
  private async needs(build: string, machine: Machine): Promise<{ depends: string[]; rdepends: string[] }> {
    const found = { depends: new Set<string>(), rdepends: new Set<string>() };
    const compiler = ['virtual/libc', ...compilerNames(machine)];
    const ours = new Set<string>();
    for (const { name, file } of recipes()) {
      this.own();
      const command = ['bitbake', '-e', '-b', file];
      const { ok, output, log } = await this.steps.run(`read-${name}`, command, build, this.env(build));
      if (!ok) throw new Error(`${name} cannot be read: ${log}`);
      const words = (pattern: RegExp): string[] =>
        [...output.matchAll(pattern)].flatMap((m) =>
          (m[1] ?? '')
            .replace(/\([^)]*\)/g, '')
            .split(/\s+/)
            .filter(Boolean),
        );
      for (const own of [name, ...words(/^PACKAGES="(.*)"$/gm)]) ours.add(own);
      for (const word of words(/^DEPENDS="(.*)"$/gm)) found.depends.add(word);
      for (const word of words(/^RDEPENDS:[^=]*="(.*)"$/gm)) found.rdepends.add(word);
    }
    return {
      depends: [...found.depends].filter((d) => !ours.has(d) && !compiler.includes(d)).sort(),
      rdepends: [...found.rdepends].filter((d) => !ours.has(d)).sort(),
    };
  }

  /** Makes a build directory for a machine, in which only our recipes are built. */
  async prepare(machine: Machine): Promise<string> {
    const build = join(BASE, machine.name, 'build');
    const standIns = join(BASE, machine.name, 'stand-ins');
    rmSync(join(BASE, machine.name), { recursive: true, force: true });
    const sysroot = await ensureSysroot(join(BASE, 'sysroots'), machine);
    const layers = [this.core, ...this.sources.layers, standIns, LAYER];
    const write = (depends: readonly string[], packages: readonly string[]): void => {
      writeStandIns(standIns, { series: this.series, libc: libcFiles(machine, sysroot), packages });
      writeBuild(build, layers, [
        ...commonConfig(machine.name, BASE),
        ...quickConfig(BASE, machine.name, depends),
        ...compilerConfig(machine, sysroot),
      ]);
    };
    write([], []);
    const { depends, rdepends } = await this.needs(build, machine);
    write(depends, rdepends);
    return build;
  }

  async parse(build: string, machine: Machine): Promise<void> {
    await this.run(`${machine.name}: bitbake -p`, build, ['bitbake', '-p']);
    await this.run(
      `${machine.name}: bitbake-layers show-recipes`,
      build,
      ['bitbake-layers', 'show-recipes'],
      (output) => recipes().find(({ name }) => !output.includes(`${name}:`))?.name,
    );
  }

  async tasks(build: string, machine: Machine): Promise<void> {
    for (const { name } of recipes()) {
      for (const task of name.endsWith('-native') ? ['install'] : TASKS) {
        await this.run(`${machine.name}: bitbake ${name} -c ${task}`, build, ['bitbake', name, '-c', task]);
      }
    }
  }

  async selftest(build: string): Promise<void> {
    const modules = readdirSync(join(LAYER, 'oe-selftest/lib/oeqa/selftest/cases'))
      .filter((f) => f.endsWith('.py'))
      .map((f) => f.slice(0, -'.py'.length));
    await this.run('oe-selftest -l', build, ['oe-selftest', '-l'], (output) => {
      const missing = modules.find((m) => !output.includes(` ${m}.`));
      return missing === undefined ? undefined : `no case of ${missing} is listed`;
    });
    for (const module of modules) {
      const name = `oe-selftest -r ${module}`;
      // A failed run leaves its build directory, and the next one would refuse to begin.
      rmSync(`${build}-st`, { recursive: true, force: true });
      this.own();
      const begin = performance.now();
      const command = ['oe-selftest', '-r', module];
      const { ok, output, log } = await this.steps.run(name, command, build, this.env(build));
      const total = /Ran (\d+) tests?/.exec(output)?.[1] ?? '0';
      const skipped = (output.match(/: SKIPPED/g) ?? []).length;
      const held = ok && Number(total) > 0 && skipped === 0;
      this.steps.report(`${name} (${total} cases)`, held, (performance.now() - begin) / 1000);
      if (held) continue;
      for (const line of output.split('\n').filter((l) => /RESULTS.*(?:FAILED|ERROR|SKIPPED)/.test(l)))
        process.stdout.write(`        ${line}\n`);
      process.stdout.write(`        ${log}\n`);
    }
  }

  /**
   * yocto-check-layer adds the layer by itself. Its world is a different one from that of the
   * tasks.
   */
  async checkLayer(machine: Machine, standIns: string, config: readonly string[]): Promise<void> {
    const build = join(BASE, 'check/build');
    const world = config.map((line) => line.replaceAll(join(BASE, machine.name), join(BASE, 'check')));
    writeBuild(build, [this.core, ...this.sources.layers, standIns], world);
    const command = [
      'yocto-check-layer',
      LAYER,
      '--no-auto-dependency',
      '--dependency',
      ...this.sources.layers,
    ];
    await this.run('yocto-check-layer', build, command, (output) =>
      /^INFO: .*\bFAIL\b/m.test(output) ? 'a test of it failed' : undefined,
    );
  }

  private full(config: readonly string[]): string {
    const build = join(BASE, 'full/build');
    writeBuild(
      build,
      [this.core, ...this.sources.layers, LAYER],
      [...commonConfig('qemux86-64', BASE), ...config],
    );
    return build;
  }

  /** The guests' kernel gets the fragment, and no other kernel does. */
  async multiconfig(): Promise<void> {
    const kernels = join(this.core, 'recipes-kernel/linux');
    const tiny = readdirSync(kernels).find((f) => /^linux-yocto-tiny_.*\.bb$/.test(f)) ?? '';
    for (const { arch, name } of MACHINES) {
      const multiconfig = `vxn-guest-${arch.replace('_', '-')}`;
      const build = this.full([`MACHINE = "${name}"`, `BBMULTICONFIG = "${multiconfig}"`]);
      const shown = (output: string): string => /^SRC_URI="(.*)"$/m.exec(output)?.[1] ?? '';
      const file = join(kernels, tiny);
      await this.run(
        `${multiconfig}: its kernel has the fragment`,
        build,
        ['bitbake', '-e', '-b', `mc:${multiconfig}:${file}`],
        (o) => (shown(o).includes('file://vxn-guest.scc') ? undefined : 'SRC_URI lacks vxn-guest.scc'),
      );
      await this.run(`${name}: Dom0's kernel does not`, build, ['bitbake', '-e', '-b', file], (o) =>
        shown(o).includes('vxn-guest') ? 'SRC_URI has vxn-guest.scc' : undefined,
      );
    }
  }

  /** Every dependency has a real recipe, without any stand-in. */
  async resolve(): Promise<void> {
    const targets = recipes().map(({ name }) => name);
    await this.run(`bitbake -n ${targets.join(' ')}, all layers`, this.full([]), [
      'bitbake',
      '-n',
      ...targets,
    ]);
    const host = this.full([
      'require conf/distro/include/vxn-host.inc',
      'VXN_ENGINES = "containerd docker podman"',
    ]);
    await this.run('bitbake -n xen-image-minimal with vxn-host.inc, all layers', host, [
      'bitbake',
      '-n',
      'xen-image-minimal',
    ]);
  }

  /** Puts the recipes' own files into the lab's Dom0, and lives one life of a container there. */
  async dom0(build: string, machine: Machine, config: readonly string[]): Promise<void> {
    const deployed = join(BASE, 'dom0/deploy');
    const tree = join(BASE, 'dom0/tree');
    const image = await deployKernel(deployed, machine);
    writeFileSync(
      join(build, 'conf/local.conf'),
      [
        ...config,
        `DEPLOY_DIR_IMAGE = "${deployed}"`,
        // The lab's processor is older than the machine's tune asks for.
        'TUNE_CCARGS:forcevariable = " -m64"',
        'VXN_CONTAINERD_VERSION = "1.7"',
        '',
      ].join('\n'),
    );
    const installed: string[] = [];
    for (const name of ['vxn-oci-runtime', 'vxn-guest']) {
      await this.run(`dom0: bitbake ${name} -c install`, build, ['bitbake', name, '-c', 'install']);
      const { output } = await this.steps.run(
        `dom0-${name}`,
        ['bitbake', '-e', name],
        build,
        this.env(build),
      );
      installed.push(/^D="(.*)"$/m.exec(output)?.[1] ?? '');
    }
    const begin = performance.now();
    let wrong: string | undefined;
    try {
      assembleTree(tree, installed, image);
      wrong = await runContainer(tree);
    } catch (error) {
      wrong = error instanceof Error ? error.message : String(error);
    }
    this.steps.report(
      'dom0: a container in the lab, from these files',
      wrong === undefined,
      (performance.now() - begin) / 1000,
    );
    if (wrong !== undefined) process.stdout.write(`        ${wrong}\n`);
  }
}

async function main(wanted: readonly string[]): Promise<Steps> {
  const sources = findSources();
  ensureHost();
  mkdirSync(BASE, { recursive: true });
  const user = ensureUser('vxn-bitbake', join(BASE, 'home'));
  mkdirSync(user.home, { recursive: true });
  copyLayer(ROOT, LAYER);
  downloads(ROOT, join(BASE, 'downloads'));
  const bench = new Bench(sources, user);
  const has = (step: string): boolean => wanted.includes(step);
  for (const machine of MACHINES) {
    const own = machine.prefix === '' ? HOST_STEPS : CROSS_STEPS;
    if (!own.some(has)) continue;
    const build = await bench.prepare(machine);
    if (has('parse')) await bench.parse(build, machine);
    if (has('tasks')) await bench.tasks(build, machine);
    if (machine.prefix !== '') continue;
    const config = readFileSync(join(build, 'conf/local.conf'), 'utf8').trimEnd().split('\n');
    if (has('selftest')) await bench.selftest(build);
    if (has('dom0')) await bench.dom0(build, machine, config);
    if (has('check-layer')) await bench.checkLayer(machine, join(BASE, machine.name, 'stand-ins'), config);
  }
  if (has('multiconfig')) await bench.multiconfig();
  if (has('resolve')) await bench.resolve();
  return bench.steps;
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((step) => !STEPS.includes(step));
if (unknown !== undefined) {
  process.stderr.write(`no step "${unknown}"; there are ${STEPS.join(', ')}\n`);
  process.exit(2);
}
const { count } = await main(wanted.length > 0 ? wanted : STEPS).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return { count: { passed: 0, failed: 1 } };
});
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`);
process.exit(count.failed > 0 ? 1 : 0);
