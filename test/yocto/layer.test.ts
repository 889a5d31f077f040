// SPDX-License-Identifier: MIT
// The layer, as far as it can be looked at without BitBake. `npm run test:bitbake` goes all the way.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  BitbakeError,
  filesBelow,
  layerFiles,
  type Metadata,
  parseBitbake,
  ROOT,
  readMetadata,
} from './bitbake.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const files = layerFiles();
const recipes = files.filter((f) => f.endsWith('.bb'));
const metadata = new Map<string, Metadata>();
const of = (file: string): Metadata => {
  const found = metadata.get(file) ?? readMetadata(file);
  metadata.set(file, found);
  return found;
};
const values = ({ assignments }: Metadata, name: string): string[] =>
  assignments.filter((a) => a.name === name).map((a) => a.value);
/** A variable of BitBake's. */
const bb = (name: string): string => `\${${name}}`;
const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** A recipe and what it requires of this layer. */
function whole(recipe: string): Metadata[] {
  const seen: Metadata[] = [];
  const add = (file: string): void => {
    const one = of(file);
    if (seen.includes(one)) return;
    seen.push(one);
    for (const directive of one.directives.filter((d) => /^(?:require|include) /.test(d))) {
      for (const [name] of directive.matchAll(/[\w/.-]+\.inc/g)) {
        const at = [join(dirname(file), name), name].find((f) => existsSync(join(ROOT, f)));
        assert.ok(at !== undefined, `${file}: ${name} is not here`);
        add(at);
      }
    }
  };
  add(recipe);
  return seen;
}

describe('the parser of these tests', () => {
  for (const [text, what] of [
    ['A = "1', 'does not end with'],
    ['do_x() {\n  :', 'does not end'],
    ['A == "1"\n', 'neither'],
    ['A = 1\n', 'neither'],
    ['A = "1"\t\n', 'a tab'],
    ['A = "1" \n', 'blanks'],
    ['A = "1 \\', 'does not end'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseBitbake('x.bb', text),
        (e) => e instanceof BitbakeError && e.message.includes(what),
      );
    });
  }
});

describe('files of the layer', () => {
  for (const file of files) {
    it(`${file} has BitBake's grammar and a licence`, () => {
      assert.match(of(file).text, /SPDX-License-Identifier: MIT/);
      for (const { name, value } of of(file).assignments) {
        assert.equal((value.match(/\$\{/g) ?? []).length <= (value.match(/\}/g) ?? []).length, true, name);
      }
    });
  }

  it('are matched by layer.conf, and so are the selftest cases', () => {
    const conf = of('conf/layer.conf');
    assert.deepEqual(values(conf, 'BBFILES'), [`${bb('LAYERDIR')}/recipes-*/*/*.bb`]);
    for (const recipe of recipes) assert.match(recipe, /^recipes-[^/]+\/[^/]+\/[^/]+\.bb$/);
    assert.match(values(conf, 'BBPATH').join(''), /\$\{LAYERDIR\}:\$\{LAYERDIR\}\/oe-selftest/);
    assert.ok(filesBelow('oe-selftest/lib/oeqa/selftest/cases', /\/vxn_\w+\.py$/).length > 0);
    assert.ok(existsSync(join(ROOT, 'lib/oeqa/runtime/cases/vxn.py')));
  });

  it('hold no append: another recipe keeps its signature', () => {
    assert.deepEqual(
      files.filter((f) => f.endsWith('.bbappend')),
      [],
    );
  });

  it('name layers, series and what the layer check asks for', () => {
    const conf = of('conf/layer.conf');
    assert.deepEqual(words(values(conf, 'LAYERDEPENDS_vxn-layer')[0] ?? ''), [
      'core',
      'openembedded-layer',
      'virtualization-layer',
    ]);
    assert.deepEqual(words(values(conf, 'LAYERSERIES_COMPAT_vxn-layer')[0] ?? ''), ['scarthgap', 'wrynose']);
    const readme = read('README.md');
    assert.match(readme, /maintainer/i);
    assert.match(readme, /patch/i);
    assert.match(readme, /[\w.]+@[\w.]+/);
    assert.doesNotMatch(readme, /README/);
    assert.ok(read('SECURITY.md').length > 0 && read('MAINTAINERS').length > 0);
  });
});

/** Folders of the recipe's variables, as BitBake has them by default. */
const FOLDERS: Record<string, string> = {
  bindir: '/usr/bin',
  datadir: '/usr/share',
  libexecdir: '/usr/libexec',
  localstatedir: '/var',
  nonarch_libdir: '/usr/lib',
  sysconfdir: '/etc',
};
const ENGINE_PACKAGES: Record<string, string> = {
  containerd: '-containerd',
  containers: '-podman-config',
  docker: '-docker-config',
  k3s: '-k3s-config',
  rancher: '-k3s-config',
};
/** What the package of the recipe's own name takes without being told (bitbake.conf), and the units of the systemd class. */
const MAIN = ['/usr/bin/*', '/usr/libexec/*', '/etc', '/usr/lib/systemd/system/vxn-snapshot.service'];

/** The runtime's package that a file goes to, by its suffix; the first that takes it does. */
function packageOf(path: string): string | undefined {
  const { assignments } = of(`recipes-containers/vcontainer/vxn-oci-runtime_${version}.bb`);
  const taken = assignments.flatMap(({ name, value }) => {
    const suffix = /^FILES:\$\{PN\}(.*)$/.exec(name)?.[1];
    if (suffix === undefined) return [];
    const patterns = words(value.replace(/\$\{(\w+)\}/g, (_, v: string) => FOLDERS[v] ?? assert.fail(v)));
    return [{ suffix, patterns }];
  });
  const all = [...taken.filter((t) => t.suffix !== ''), ...taken.filter((t) => t.suffix === '')];
  all.push({ suffix: '', patterns: MAIN });
  const takes = (pattern: string): boolean =>
    path === pattern || path.startsWith(pattern.endsWith('*') ? pattern.slice(0, -1) : `${pattern}/`);
  return all.find(({ patterns }) => patterns.some(takes))?.suffix;
}

describe('recipes', () => {
  const npmTarball = /^\$\{NPMJS_MIRROR\}\//;
  const inlinePython = /^\$\{@/;

  for (const recipe of recipes) {
    const parts = whole(recipe);
    const all = (name: string): string[] => parts.flatMap((m) => values(m, name));

    it(`${recipe}: what every recipe says of itself`, () => {
      const [summary = ''] = all('SUMMARY');
      assert.ok(summary.length > 0 && summary.length < 80 && !summary.endsWith('.'), summary);
      for (const name of ['DESCRIPTION', 'SECTION', 'LICENSE', 'LIC_FILES_CHKSUM'])
        assert.ok(all(name).length > 0, name);
      for (const name of all('SECTION')) assert.equal(name, name.toLowerCase());
      const ours = !recipe.includes('esbuild');
      if (ours) assert.ok(recipe.endsWith(`_${version}.bb`), `package.json says ${version}`);
    });

    it(`${recipe}: its files are here, with the checksums of their licences`, () => {
      for (const uri of words(all('SRC_URI').join(' '))) {
        if (npmTarball.test(uri) || inlinePython.test(uri)) continue;
        const path = /^file:\/\/([^;]+)/.exec(uri)?.[1];
        assert.ok(path !== undefined, uri);
        const name = basename(recipe).replace(/_.*/, '');
        const places = [path, join(dirname(recipe), name, path)];
        // vruntime's scripts are of meta-virtualization.
        const upstream = ['vxn-init.sh', 'vcontainer-init-common.sh'].includes(path);
        assert.ok(upstream || places.some((p) => existsSync(join(ROOT, p))), uri);
      }
      for (const entry of words(all('LIC_FILES_CHKSUM').join(' '))) {
        const [, path = '', md5] = /^file:\/\/([^;]+);md5=([0-9a-f]{32})$/.exec(entry) ?? assert.fail(entry);
        if (path.startsWith(bb('COMMON_LICENSE_DIR'))) continue;
        assert.equal(
          createHash('md5')
            .update(readFileSync(join(ROOT, path)))
            .digest('hex'),
          md5,
          path,
        );
      }
    });

    it(`${recipe}: no waiver, no network, no host`, () => {
      for (const m of parts) {
        for (const { name, value } of m.assignments) {
          assert.ok(!name.startsWith('INSANE_SKIP'), name);
          assert.ok(!name.endsWith('[network]'), name);
          assert.doesNotMatch(value, /npm(?:sw)?:\/\/|\/(?:home|root|work|tmp)\//, name);
        }
      }
    });
  }

  it('take every folder of native/ that programs are made of', () => {
    const taken = words(
      [...whole(`recipes-containers/vcontainer/vxn-oci-runtime_${version}.bb`)]
        .flatMap((m) => values(m, 'SRC_URI'))
        .join(' '),
    ).map((uri) => /^file:\/\/native\/([^;]+)/.exec(uri)?.[1]);
    const notPrograms = ['build', 'fuzz', 'test'];
    const folders = readdirSync(join(ROOT, 'native')).filter((f) => !notPrograms.includes(f));
    assert.deepEqual(taken.filter(Boolean).sort(), folders.sort());
  });

  it('package every file that the Makefile installs', () => {
    const { assignments } = of(`recipes-containers/vcontainer/vxn-oci-runtime_${version}.bb`);
    const packaged = assignments.find((a) => a.name === `FILES:${bb('PN')}-helpers`)?.value ?? '';
    const programs = [...read('native/Makefile').matchAll(/^\w+: \$\(BUILD\)\/(vxn-\w+)$/gm)].map(
      (m) => m[1],
    );
    assert.ok(programs.length > 3);
    assert.deepEqual(
      words(packaged).map((path) => basename(path)),
      programs.sort(),
    );
  });

  for (const [target, engines] of [
    ['qemux86-64', 'containerd,docker,podman'],
    ['qemuarm64', 'containerd,kubernetes'],
    ['k3s', 'k3s'],
  ] as const) {
    it(`put every file that vxn-config makes for ${target} into a package, an engine's into its own`, () => {
      const vxnConfig = [join(ROOT, 'src/cli/vxn-config.ts'), 'generate', '--dry-run', '--json'];
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', 'tsx', ...vxnConfig, '--target', target, '--set', `engines=[${engines}]`],
        { encoding: 'utf8' },
      );
      const made = (JSON.parse(stdout || assert.fail(stderr)) as { files: { path: string }[] }).files;
      assert.ok(made.length > 8);
      for (const { path } of made) {
        const engine = /\/(containerd|containers|docker|rancher|k3s)[/.-]/.exec(path)?.[1];
        const found = packageOf(path);
        assert.ok(found !== undefined, path);
        if (engine !== undefined) assert.equal(found, ENGINE_PACKAGES[engine], path);
      }
    });
  }

  it('are what the class for images installs', () => {
    const packages = of(`recipes-containers/vcontainer/vxn-oci-runtime_${version}.bb`).text;
    const [installed = ''] = values(of('classes-recipe/vxn_host.bbclass'), 'VXN_HOST_PACKAGES');
    for (const [, suffix = ''] of installed.matchAll(/vxn-oci-runtime(-[a-z0-9-]+)?/g)) {
      if (suffix !== undefined && suffix !== '') assert.ok(packages.includes(`\${PN}${suffix}`), suffix);
    }
  });
});

describe('functions of recipes and classes', () => {
  const functions = files.flatMap((file) => of(file).functions.map((f) => ({ file, ...f })));
  const shell = functions.filter((f) => f.language === 'sh');
  const python = functions.filter((f) => f.language !== 'sh');

  it('are there', () => assert.ok(shell.length > 3 && python.length > 3));

  for (const { file, name, body, line } of shell) {
    it(`${file}:${line} ${name}: shellcheck`, () => {
      // BitBake puts its own variables in before a shell sees them: they are neither unset nor to be quoted.
      const script = `#!/bin/sh\nbbfatal() { exit 1; }\noe_runmake() { :; }\nvxn_take() { :; }\n${body.replace(/\$\{@[^}]*\}/g, 'python')}\n`;
      const { status, stdout } = spawnSync(
        'shellcheck',
        ['-s', 'sh', '-e', 'SC2154,SC2086,SC2050,SC2317,SC2016', '-'],
        {
          input: script,
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stdout);
    });
  }

  for (const { file, name, body, line, language } of python) {
    it(`${file}:${line} ${name.split('(')[0]}: python compiles it`, () => {
      const source = language === 'def' ? body : `def anonymous(d):\n${body}\n`;
      const { status, stderr } = spawnSync(
        'python3',
        ['-c', 'import sys; compile(sys.stdin.read(), "recipe", "exec")'],
        {
          input: source,
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stderr);
    });
  }
});

describe('python of the layer', () => {
  const modules = [...filesBelow('lib', /\.py$/), ...filesBelow('oe-selftest', /\.py$/)];
  for (const file of modules) {
    it(`${file} compiles, and has a licence`, () => {
      assert.match(read(file), /SPDX-License-Identifier: MIT/);
      const { status, stderr } = spawnSync(
        'python3',
        ['-c', 'import sys; compile(sys.stdin.read(), sys.argv[1], "exec")', file],
        {
          input: read(file),
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stderr);
    });
  }

  it('names its test modules so that they hide no other layer’s', () => {
    for (const file of modules.filter((f) => f.includes('/cases/'))) assert.match(basename(file), /^vxn/);
    // A package of that name here would hide openembedded-core's own.
    assert.deepEqual(
      modules.filter((f) => f.includes('/oeqa/') && f.endsWith('__init__.py')),
      [],
    );
  });

  it('makes an initramfs (test/yocto/initramfs_test.py)', () => {
    const { status, stderr } = spawnSync('python3', ['-B', join(ROOT, 'test/yocto/initramfs_test.py')], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: join(ROOT, 'lib') },
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Ran [1-9]\d* tests/);
  });
});

describe('configurations', () => {
  it('of kas include each other and name machines that there are multiconfigs for', () => {
    for (const name of ['qemux86-64', 'qemuarm64']) {
      const file = parse(read(`kas/vxn-${name}.yml`)) as { machine: string; header: { includes: string[] } };
      assert.equal(file.machine, name);
      for (const include of file.header.includes) assert.ok(parse(read(include)));
    }
    const { local_conf_header, repos } = parse(read('kas/vxn-common.yml')) as {
      local_conf_header: Record<string, string>;
      repos: Record<string, unknown>;
    };
    assert.match(local_conf_header.vxn ?? '', /require conf\/distro\/include\/vxn-host\.inc/);
    assert.deepEqual(Object.keys(repos).sort(), [
      ...['bitbake', 'meta-openembedded', 'meta-virtualization', 'meta-yocto', 'openembedded-core', 'vxn'],
    ]);
  });

  it('of the guests’ kernel name every driver that the initramfs loads where it is a module', () => {
    const fragments = filesBelow('recipes-kernel', /\.cfg$/);
    const scc = read('recipes-kernel/linux/linux-vxn-guest/vxn-guest.scc');
    for (const file of fragments) assert.ok(scc.includes(basename(file)), file);
    const text = fragments.map(read).join('\n');
    for (const option of [
      'XEN_DEV_EVTCHN',
      'XEN_GNTDEV',
      'XEN_GRANT_DEV_ALLOC',
      'XEN_PRIVCMD',
      'XENFS',
      'XEN_BLKDEV_FRONTEND',
    ])
      assert.match(text, new RegExp(`^CONFIG_${option}=y$`, 'm'));
    for (const option of [
      'EXT4_FS',
      'EROFS_FS',
      'OVERLAY_FS',
      'XEN_NETDEV_FRONTEND',
      'PACKET',
      'CGROUPS',
      'SECCOMP_FILTER',
    ])
      assert.match(text, new RegExp(`^CONFIG_${option}=y$`, 'm'));
    assert.match(text, /^# CONFIG_MODULES is not set$/m);
    for (const line of text.split('\n').filter((l) => l !== '' && !l.startsWith('# ')))
      assert.match(line, /^CONFIG_[A-Z0-9_]+=(?:y|-?\d+)$/);
  });

  it('and their variables are all in docs/yocto.md', () => {
    const manual = read('docs/yocto.md');
    const names = new Set(
      files
        .flatMap((file) => of(file).assignments)
        .filter((a) => /^\?/.test(a.operator))
        .map((a) => a.name.replace(/:.*/, '')),
    );
    for (const name of [...names].filter((n) => /^(?:VXN|NPMJS)_/.test(n)))
      assert.ok(manual.includes(`\`${name}\``), name);
    assert.ok(manual.includes('`VXN_CONFIG['));
  });
});
