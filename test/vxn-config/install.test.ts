// SPDX-License-Identifier: MIT
// install and uninstall on systems that others have configured: what was there stays, and comes back to the byte.
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { check } from '../../src/vxn-config/commands/check.ts';
import { install } from '../../src/vxn-config/commands/install.ts';
import { uninstall } from '../../src/vxn-config/commands/uninstall.ts';
import { DescriptionError, position } from '../../src/vxn-config/diagnostics.ts';
import { at, isExtension, readToml, type Toml } from '../../src/vxn-config/install/toml-edit.ts';
import {
  containerdGeneration,
  engineTree,
  type Machine,
  type Suite,
  startMachine,
} from '../fixtures/engines.ts';
import { testContext } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

/** A root with files in it. */
function rootWith(files: Readonly<Record<string, string>>): string {
  const root = join(temporaryFolder(), 'root');
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Everything below a folder: bytes, modes, links. */
function everything(root: string, folder = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = join(folder, name);
    const st = lstatSync(join(root, path));
    const mode = (st.mode & 0o7777).toString(8);
    if (st.isDirectory()) Object.assign(found, { [path]: 'folder' }, everything(root, path));
    else if (st.isSymbolicLink()) found[path] = `link ${readlinkSync(join(root, path))}`;
    else found[path] = `${mode} ${readFileSync(join(root, path), 'latin1')}`;
  }
  return found;
}

function run(root: string, set: readonly string[] = [], extra: object = {}): string {
  const context = testContext();
  install(context, { target: 'generic-x86-64', root, set, ...extra });
  return context.printed.join('');
}

function undo(root: string, extra: object = {}): string {
  const context = testContext();
  uninstall(context, { root, ...extra });
  return context.printed.join('');
}

function conflicts(root: string, set: readonly string[] = []): string[] {
  const before = everything(root);
  try {
    run(root, set);
  } catch (error) {
    assert.ok(error instanceof DescriptionError, String(error));
    assert.deepEqual(everything(root), before, 'nothing is touched when something is wrong');
    return error.diagnostics.map(({ code, place }) => {
      assert.ok(place !== undefined);
      const { file, line, column } = position(place);
      return `${code} ${file}:${line}:${column}`;
    });
  }
  return [];
}

const CONFIG = '/etc/containerd/config.toml';
const DAEMON = '/etc/docker/daemon.json';
const CRI = 'io.containerd.grpc.v1.cri';

const DEBIAN = `version = 2

[plugins]
  [plugins."${CRI}"]
    [plugins."${CRI}".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
`;

const COMMENTED = `#   A configuration of somebody's own
#   [plugins."${CRI}".containerd.runtimes.vxn]

version = 2
root = "/srv/containerd"   # a disk of its own
oom_score = -999
imports = []

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."${CRI}"] # CRI
  sandbox_image = "registry.local/pause:3.9"
  [plugins . "${CRI}" . containerd]   # its containerd
    snapshotter = "overlayfs"
    [plugins."${CRI}".containerd.runtimes.kata]
      runtime_type = "io.containerd.kata.v2"
    [plugins."${CRI}".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."${CRI}".containerd.runtimes.runc.options]
        SystemdCgroup = true
  text = """
[plugins."${CRI}".containerd.runtimes.vxn]
"""

[[some.array]]
x = 1
[[some.array]]
x = 2
# the last line has no newline`;

const DOCKERS = '# docker’s\ndisabled_plugins = ["cri"]\n#root = "/var/lib/containerd"\n';

const V3 = `version = 3
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'native'
[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = 'runc'
`;

interface ContainerdCase {
  name: string;
  text: string;
  suite: Suite;
  set?: string[];
  /** Keys that the daemon's dump has, with their values. */
  dumped?: Record<string, string>;
}

const BOTH_KEYS = ['containerd.defaultRuntime=vxn', 'containerd.snapshotter=native'];
const BOTH_DUMPED = { default_runtime_name: 'vxn', snapshotter: 'native' };

const CONTAINERD: readonly ContainerdCase[] = [
  { name: "Debian's, 1.6", text: DEBIAN, suite: 'bookworm' },
  { name: "Debian's, 1.7", text: DEBIAN, suite: 'trixie' },
  { name: "Debian's for 1.x, 2.x", text: DEBIAN, suite: 'forky' },
  { name: 'commented, 1.6', text: COMMENTED, suite: 'bookworm' },
  { name: 'commented, 1.7', text: COMMENTED, suite: 'trixie' },
  { name: 'commented, 2.x', text: COMMENTED, suite: 'forky' },
  {
    name: 'commented, vxn by default',
    text: COMMENTED,
    suite: 'trixie',
    set: ['containerd.defaultRuntime=vxn'],
  },
  {
    name: "Debian's, 1.6, two keys of one table",
    text: DEBIAN,
    suite: 'bookworm',
    set: BOTH_KEYS,
    dumped: BOTH_DUMPED,
  },
  {
    name: "Debian's, 1.7, two keys of one table",
    text: DEBIAN,
    suite: 'trixie',
    set: BOTH_KEYS,
    dumped: BOTH_DUMPED,
  },
  {
    name: "Debian's for 1.x, 2.x, two keys of one table",
    text: DEBIAN,
    suite: 'forky',
    set: BOTH_KEYS,
    dumped: BOTH_DUMPED,
  },
  { name: 'empty, 1.6', text: '', suite: 'bookworm' },
  { name: 'empty, 1.7', text: '', suite: 'trixie' },
  { name: 'empty, 2.x', text: '', suite: 'forky' },
  {
    name: 'comments only, with carriage returns',
    text: '# one\r\n# two\r\n',
    suite: 'trixie',
  },
  { name: 'version 1', text: '[plugins.cri.cni]\n  bin_dir = "/x"\n', suite: 'trixie' },
  {
    name: 'version 1 for 1.6',
    text: 'root = "/x"\n[plugins.cri]\n  sandbox_image = "p"\n',
    suite: 'bookworm',
  },
  { name: 'version 3', text: V3, suite: 'forky' },
  {
    name: 'CRI disabled, 1.7',
    text: DOCKERS,
    suite: 'trixie',
  },
  {
    name: 'CRI disabled, 2.x',
    text: DOCKERS,
    suite: 'forky',
    set: BOTH_KEYS,
    dumped: BOTH_DUMPED,
  },
  {
    name: 'no version, 2.x',
    text: 'root = "/x"\n[grpc]\n  address = "/run/c.sock"\n',
    suite: 'forky',
    set: BOTH_KEYS,
    dumped: { ...BOTH_DUMPED, address: '/run/c.sock' },
  },
  {
    name: 'version 1 by names of version 3',
    text: `version = 1\n[plugins."io.containerd.cri.v1.images"]\n  snapshotter = "native"\n`,
    suite: 'forky',
    set: BOTH_KEYS,
    dumped: BOTH_DUMPED,
  },
  {
    name: 'version 3, snapshotter',
    text: V3,
    suite: 'forky',
    set: ['containerd.snapshotter=native', 'containerd.sandboxImage=pause:1'],
  },
];

const machines = new Map<Suite, Machine>();
before(async () => {
  for (const suite of ['bookworm', 'trixie', 'forky'] as const)
    machines.set(suite, await startMachine(await engineTree(suite), [], ['sleep', '600']));
});
after(async () => {
  for (const machine of machines.values()) await machine.stop();
});

/** What the real daemon of a release makes of a configuration. */
function dump(suite: Suite, root: string): Toml {
  const machine = machines.get(suite);
  assert.ok(machine !== undefined);
  rmSync(join(machine.shared, 'etc'), { recursive: true, force: true });
  cpSync(join(root, 'etc'), join(machine.shared, 'etc'), { recursive: true });
  machine.run('sh', '-c', 'rm -rf /etc/containerd; cp -r /shared/etc/containerd /etc/');
  const { status, stdout, stderr } = machine.run('containerd', '-c', CONFIG, 'config', 'dump');
  assert.equal(status, 0, stderr);
  return readToml(stdout);
}

function runtimesIn(toml: Toml): Record<string, unknown> {
  for (const plugin of ['cri', CRI, 'io.containerd.cri.v1.runtime']) {
    const runtimes = at(toml, ['plugins', plugin, 'containerd', 'runtimes']);
    if (runtimes !== undefined) return runtimes as Record<string, unknown>;
  }
  return {};
}

/** The values of a key in whatever table. */
function valuesOf(toml: unknown, key: string): unknown[] {
  if (typeof toml !== 'object' || toml === null) return [];
  return Object.entries(toml).flatMap(([k, v]) => (k === key ? [v] : valuesOf(v, key)));
}

function knowsBoth(toml: Toml, before: Toml): void {
  const runtimes = runtimesIn(toml);
  const names = new Set([...Object.keys(runtimesIn(before)), 'runc', 'vxn']);
  assert.deepEqual(Object.keys(runtimes).sort(), [...names].sort());
  assert.equal(at(runtimes.vxn, ['runtime_type']), 'io.containerd.vxn.v2');
}

describe('containerd', () => {
  for (const { name, text, suite, set = [], dumped = {} } of CONTAINERD) {
    test(`${name}: added, known to the daemon, twice is once, and gone without a trace`, async () => {
      const root = rootWith({ [CONFIG]: text, '/etc/other': 'x' });
      const original = everything(root);
      const sets = [`containerd.version=${await containerdGeneration(suite)}`, ...set];
      const said = run(root, sets);
      const isDisabled = text.includes('disabled_plugins');
      assert.equal(said.includes(`note       ${CONFIG} disables CRI: `), isDisabled, said);
      const edited = readFileSync(join(root, CONFIG), 'utf8');
      assert.ok(edited.includes('io.containerd.vxn.v2'));
      const oldRuntimes = dump(suite, rootWith({ [CONFIG]: text }));
      const toml = dump(suite, root);
      // 2.x has the runtimes in a plugin of their own, which is not disabled.
      if (isDisabled) assert.equal(at(toml, ['plugins', CRI]), undefined);
      if (!isDisabled || suite === 'forky') knowsBoth(toml, oldRuntimes);
      for (const [key, value] of Object.entries(dumped)) assert.ok(valuesOf(toml, key).includes(value), key);
      const installed = everything(root);
      assert.match(run(root, sets), /^nothing to do/);
      assert.deepEqual(everything(root), installed);
      const context = testContext();
      assert.equal(
        check(context, root, { target: 'generic-x86-64', set: sets }),
        true,
        context.printed.join(''),
      );
      undo(root);
      assert.deepEqual(everything(root), original);
    });
  }

  for (const suite of ['bookworm', 'trixie', 'forky'] as const) {
    test(`the daemon's own default in ${suite}: nothing of it changes`, async () => {
      const machine = machines.get(suite) as Machine;
      const text = machine.run('containerd', 'config', 'default').stdout;
      const root = rootWith({ [CONFIG]: text });
      run(root, [`containerd.version=${await containerdGeneration(suite)}`]);
      const [old, now] = [dump(suite, rootWith({ [CONFIG]: text })), dump(suite, root)];
      const plugin = suite === 'forky' ? 'io.containerd.cri.v1.runtime' : CRI;
      assert.ok(isExtension(old, now, [['plugins', plugin, 'containerd', 'runtimes', 'vxn']]));
      undo(root);
      assert.equal(readFileSync(join(root, CONFIG), 'utf8'), text);
    });
  }

  test('2.x: a file that imports conf.d gets a drop-in of a version that it may import', () => {
    for (const [version, generation] of [
      [2, '2.1'],
      [3, '2.1'],
      [3, '2.3'],
    ] as const) {
      const text = `version = ${version}\nimports = ["conf.d/*.toml"]\n`;
      const root = rootWith({ [CONFIG]: text });
      run(root, [`containerd.version=${generation}`]);
      assert.equal(readFileSync(join(root, CONFIG), 'utf8'), text);
      const dropIn = readFileSync(join(root, '/etc/containerd/conf.d/50-vxn.toml'), 'utf8');
      assert.equal(readToml(dropIn).version, version);
      if (generation === '2.1')
        assert.deepEqual(Object.keys(runtimesIn(dump('forky', root))).sort(), ['runc', 'vxn']);
      undo(root);
      assert.ok(!existsSync(join(root, '/etc/containerd/conf.d')));
    }
  });

  test('no file: the file that imports, and the drop-in', () => {
    const root = rootWith({ '/etc/hostname': 'x' });
    run(root, ['containerd.version=2.1']);
    assert.deepEqual(Object.keys(runtimesIn(dump('forky', root))).sort(), ['runc', 'vxn']);
    undo(root);
    assert.deepEqual(everything(root), { etc: 'folder', 'etc/hostname': '644 x' });
  });

  test('2.3 moves tables of version 1: what is added goes by their names', () => {
    for (const name of ['cri', `"${CRI}"`]) {
      const root = rootWith({ [CONFIG]: `[plugins.${name}.containerd]\n  snapshotter = "native"\n` });
      run(root, ['containerd.version=2.3', ...BOTH_KEYS]);
      const { plugins } = readToml(readFileSync(join(root, CONFIG), 'utf8'));
      assert.deepEqual(Object.keys(plugins as Toml), [name.replaceAll('"', '')]);
    }
  });

  type BadCase = [name: string, files: Record<string, string>, set: string[], found: string[]];
  const BAD: BadCase[] = [
    ...['[plugins.cri]\n', 'version = 1\n[plugins.cri.containerd]\n', `[plugins."${CRI}".containerd]\n`].map(
      (text): BadCase => {
        const place = text.startsWith('version') ? '2:2' : '1:2';
        return [
          'tables that 2.x leaves out',
          { [CONFIG]: text },
          ['containerd.version=2.1'],
          [`CONFLICT ${CONFIG}:${place}`],
        ];
      },
    ),
    [
      'tables of which 2.3 loses one',
      { [CONFIG]: `[plugins.cri]\n[plugins."${CRI}"]\n` },
      ['containerd.version=2.3'],
      [`CONFLICT ${CONFIG}:1:2`],
    ],
    ['not TOML', { [CONFIG]: 'version = 2\nx =\n' }, [], [`NOT_TOML ${CONFIG}:2:4`]],
    ['too new', { [CONFIG]: 'version = 3\n' }, [], [`TOO_NEW ${CONFIG}:1:1`]],
    [
      'a runtime of that name',
      { [CONFIG]: `version = 2\n[plugins."${CRI}".containerd.runtimes.vxn]\n  runtime_type = "x"\n` },
      [],
      [`CONFLICT ${CONFIG}:2:49`],
    ],
    [
      'another default',
      { [CONFIG]: `version = 2\n[plugins."${CRI}".containerd]\n  default_runtime_name = "crun"\n` },
      ['containerd.defaultRuntime=vxn'],
      [`CONFLICT ${CONFIG}:3:3`],
    ],
    [
      'inline tables',
      {
        [CONFIG]: `version = 2\n[plugins]\n"${CRI}" = { containerd = { runtimes = { runc = { runtime_type = "x" } } } }\n`,
      },
      [],
      [`CONFLICT ${CONFIG}:3:48`],
    ],
    [
      'an import that replaces CRI',
      {
        [CONFIG]: 'version = 2\nimports = ["/etc/containerd/x/*.toml"]\n',
        '/etc/containerd/x/a.toml': `[plugins."${CRI}"]\n  sandbox_image = "p"\n`,
      },
      [],
      [`CONFLICT ${CONFIG}:2:1`],
    ],
    ['not JSON', { [DAEMON]: '{ "a": 1,\n}' }, [], [`NOT_JSON ${DAEMON}:2:1`]],
    ['no object', { [DAEMON]: '[]' }, [], [`NOT_JSON ${DAEMON}:1:1`]],
    [
      'a runtime of that name',
      { [DAEMON]: '{\n "runtimes": { "vxn": { "path": "/x" } } }' },
      [],
      [`CONFLICT ${DAEMON}:2:16`],
    ],
    [
      'another default',
      { [DAEMON]: '{ "default-runtime": "crun" }' },
      ['docker.defaultRuntime=vxn'],
      [`CONFLICT ${DAEMON}:1:3`],
    ],
    [
      'two files at once',
      { [CONFIG]: 'x =', [DAEMON]: '{' },
      [],
      [`NOT_TOML ${CONFIG}:1:4`, `NOT_JSON ${DAEMON}:1:2`],
    ],
  ];
  for (const [name, files, set, found] of BAD) {
    test(`refused, with nothing touched: ${name}, ${Object.keys(files)[0]}`, () =>
      assert.deepEqual(conflicts(rootWith(files), set), found));
  }
});

const DAEMON_JSON: readonly string[] = [
  '',
  '{}',
  '{ }\n',
  '{"log-driver":"json-file"}',
  '{ "runtimes": {} }\n',
  '{\n    "log-driver": "json-file",\n    "runtimes": { "crun": { "path": "/usr/bin/crun" } }\n}',
  '{\n\t"runtimes": {\n\t\t"crun": {\n\t\t\t"path": "/usr/bin/crun"\n\t\t}\n\t},\n\t"log-level": "info"\n}\n',
  '{\r\n  "log-opts": { "max-size": "10m", "tag": "}{\\"vxn\\"" },\r\n  "runtimes": {\r\n    "a": { "path": "/bin/a" }\r\n  }\r\n}\r\n',
  '{ "storage-driver": "overlay2", "labels": ["a=[", "b=}"], "iptables": true }',
];

describe('bytes of others', () => {
  // Only 1.x reads such a file: it takes a byte that is not UTF-8 for U+FFFD.
  const STRAY = `# gr\xfc\xdfe \xe2\x82\xac\xe2\x82\nversion = 2\n[plugins."${CRI}".containerd]\n  snapshotter = "\xff\xed\xa0\x80"\n`;
  const bytesAt = (root: string, path: string): string => readFileSync(join(root, path), 'latin1');
  const rootWithBytes = (path: string, bytes: string): string => {
    const root = rootWith({ [path]: '' });
    writeFileSync(join(root, path), bytes, 'latin1');
    return root;
  };

  test('those that are not UTF-8 stay, through install and uninstall', () => {
    const root = rootWithBytes(CONFIG, STRAY);
    const original = everything(root);
    run(root, ['containerd.defaultRuntime=vxn']);
    const installed = bytesAt(root, CONFIG);
    const [head = '', tail = ''] = STRAY.split('  snapshotter');
    assert.ok(installed.startsWith(head));
    assert.ok(installed.includes(`  snapshotter${tail}`));
    assert.equal(at(dump('trixie', root), ['plugins', CRI, 'containerd', 'default_runtime_name']), 'vxn');
    writeFileSync(join(root, CONFIG), `# later \xe9\n${installed}`, 'latin1');
    assert.match(run(root, ['containerd.defaultRuntime=vxn']), /^nothing to do/);
    undo(root);
    assert.equal(bytesAt(root, CONFIG), `# later \xe9\n${STRAY}`);
    writeFileSync(join(root, CONFIG), STRAY, 'latin1');
    run(root);
    undo(root);
    assert.deepEqual(everything(root), original);
  });

  test('daemon.json too', () => {
    const text = '{ "labels": ["a=\xfc", "b=\xc3\xbc"] }\n';
    const root = rootWithBytes(DAEMON, text);
    run(root);
    const installed = bytesAt(root, DAEMON);
    assert.ok(installed.includes('"labels": ["a=\xfc", "b=\xc3\xbc"]'));
    writeFileSync(join(root, DAEMON), installed.replace('a=', 'c='), 'latin1');
    undo(root);
    assert.equal(bytesAt(root, DAEMON), text.replace('a=', 'c='));
  });

  test('with carriage returns, our part is found again in a file that was changed since', () => {
    const dos = DEBIAN.replaceAll('\n', '\r\n').replace('[plugins]\r\n', `[plugins."${CRI}".containerd]\r\n`);
    for (const set of [BOTH_KEYS, []]) {
      const root = rootWith({ [CONFIG]: dos });
      run(root, set);
      const installed = readFileSync(join(root, CONFIG), 'utf8');
      assert.doesNotMatch(installed, /[^\r]\n/);
      assert.deepEqual(Object.keys(runtimesIn(dump('trixie', root))).sort(), ['runc', 'vxn']);
      writeFileSync(join(root, CONFIG), `# later\r\n${installed}`);
      undo(root);
      assert.equal(readFileSync(join(root, CONFIG), 'utf8'), `# later\r\n${dos}`);
    }
  });

  test('our part is found again where an editor has changed all line ends', () => {
    const root = rootWith({ [CONFIG]: DEBIAN });
    run(root);
    const dos = readFileSync(join(root, CONFIG), 'utf8').replaceAll('\n', '\r\n');
    writeFileSync(join(root, CONFIG), dos);
    undo(root);
    assert.equal(readFileSync(join(root, CONFIG), 'utf8'), DEBIAN.replaceAll('\n', '\r\n'));
  });
});

describe('docker', () => {
  for (const text of DAEMON_JSON) {
    for (const set of [[], ['docker.defaultRuntime=vxn', 'docker.form=shim']]) {
      test(`${JSON.stringify(text)} ${set.join(' ')}`, () => {
        const root = rootWith({ [DAEMON]: text });
        const original = everything(root);
        run(root, set);
        const edited = readFileSync(join(root, DAEMON), 'utf8');
        const json = JSON.parse(edited);
        const old = text === '' ? {} : JSON.parse(text);
        const ours =
          set.length === 0 ? { path: '/usr/bin/vxn-oci-runtime' } : { runtimeType: 'io.containerd.vxn.v2' };
        assert.deepEqual(json, {
          ...old,
          ...(set.length === 0 ? {} : { 'default-runtime': 'vxn' }),
          runtimes: { ...old.runtimes, vxn: ours },
        });
        const machine = machines.get('trixie') as Machine;
        writeFileSync(join(machine.shared, 'daemon.json'), edited);
        const { status, stderr } = machine.run(
          'dockerd',
          '--validate',
          '--config-file',
          '/shared/daemon.json',
        );
        assert.equal(status, 0, stderr);
        assert.match(run(root, set), /^nothing to do/);
        // Somebody adds a value of his own: ours can still be taken out.
        const later = edited.replace('{', '{ "debug": true,');
        writeFileSync(join(root, DAEMON), later);
        assert.match(run(root, set), /^nothing to do/);
        undo(root);
        const { runtimes = {}, ...rest } = JSON.parse(readFileSync(join(root, DAEMON), 'utf8'));
        const { runtimes: oldRuntimes = {}, ...oldRest } = old;
        assert.deepEqual([rest, runtimes], [{ debug: true, ...oldRest }, oldRuntimes]);
        // And with nothing added, it is as it was.
        writeFileSync(join(root, DAEMON), text);
        run(root, set);
        undo(root);
        assert.deepEqual(everything(root), original);
      });
    }
  }
});

describe('podman', () => {
  const CONF = '/etc/containers/containers.conf';
  const OURS = '/etc/containers/containers.conf.d/50-vxn.conf';
  const list = (root: string): unknown =>
    at(readToml(readFileSync(join(root, OURS), 'utf8')), ['engine', 'runtime_supports_json']);

  test('what the system reads as JSON stays; a list of its own is taken over', () => {
    const root = rootWith({ [CONF]: '# mine\n[engine]\nruntime_supports_json = ["crun", "mine"]\n' });
    const original = everything(root);
    run(root);
    assert.deepEqual(list(root), ['crun', 'mine', 'vxn']);
    assert.match(run(root), /^nothing to do/);
    undo(root);
    assert.deepEqual(everything(root), original);
  });

  test('a file of that name by others is kept aside, and comes back', () => {
    const root = rootWith({ [OURS]: '# theirs\n' });
    const original = everything(root);
    assert.match(run(root), /^replaced {3}\/etc\/containers\/containers\.conf\.d\/50-vxn\.conf$/m);
    undo(root);
    assert.deepEqual(everything(root), original);
  });
});

describe('whole files', () => {
  const YAML = '/etc/vxn/vxn.yaml';

  test("the operator's settings are kept, and said; --force replaces them, uninstall brings them back", () => {
    const root = rootWith({ [YAML]: 'kernel: /mine # my kernel\n' });
    const original = everything(root);
    assert.match(
      run(root),
      /^kept {7}\/etc\/vxn\/vxn\.yaml: it was there, with other values for .*kernel.*--force/m,
    );
    assert.equal(readFileSync(join(root, YAML), 'utf8'), 'kernel: /mine # my kernel\n');
    run(root, [], { force: true });
    assert.match(readFileSync(join(root, YAML), 'utf8'), /^# Made by vxn-config/m);
    undo(root);
    assert.deepEqual(everything(root), original);
  });

  test('what was changed since is kept by install and by uninstall', () => {
    const root = rootWith({});
    run(root);
    writeFileSync(join(root, YAML), 'memory: 1\n');
    assert.match(run(root, ['defaults.memory=2']), /^kept {7}\/etc\/vxn\/vxn\.yaml: it was changed since/m);
    assert.match(
      undo(root),
      /^kept {6}\/etc\/vxn\/vxn\.yaml: .* nothing was there before; --force removes it$/m,
    );
    const others = Object.entries(everything(root)).filter(([path]) => !/^var\b/.test(path));
    assert.deepEqual(Object.fromEntries(others), {
      etc: 'folder',
      'etc/vxn': 'folder',
      'etc/vxn/vxn.yaml': '644 memory: 1\n',
    });
  });

  const VCTR = '/usr/bin/vctr';
  const textAt = (root: string, path: string): string => readFileSync(join(root, path), 'utf8');
  /** Installed over a file of others, which somebody has changed since. */
  function changedSince(): { root: string; original: Record<string, string>; ours: string } {
    const root = rootWith({ [VCTR]: 'theirs' });
    const original = everything(root);
    run(root);
    const ours = textAt(root, VCTR);
    writeFileSync(join(root, VCTR), 'changed');
    return { root, original, ours };
  }
  const place = (said: string, pattern: RegExp): string => {
    const found = pattern.exec(said)?.[1];
    assert.ok(found !== undefined, said);
    return found;
  };

  test('what a kept file has replaced is kept too: uninstall again, after the change was undone', () => {
    const { root, original, ours } = changedSince();
    const backup = place(
      undo(root),
      /^kept {6}\/usr\/bin\/vctr: .* what was there before is (\S+); --force/m,
    );
    assert.equal(textAt(root, backup), 'theirs');
    assert.equal(textAt(root, VCTR), 'changed');
    assert.ok(!existsSync(join(root, 'etc')));
    undo(root);
    assert.equal(textAt(root, backup), 'theirs');
    writeFileSync(join(root, VCTR), ours);
    assert.equal(undo(root), 'restored  /usr/bin/vctr\n');
    assert.deepEqual(everything(root), original);
    throwsVxn(() => undo(root), 'DOES_NOT_EXIST', 'has installed nothing');
  });

  test('uninstall --force brings back what was replaced, and keeps what was changed aside', () => {
    const { root } = changedSince();
    undo(root);
    const aside = place(
      undo(root, { force: true }),
      /^restored {2}\/usr\/bin\/vctr: what was there is (\S+) now$/m,
    );
    assert.equal(textAt(root, VCTR), 'theirs');
    assert.equal(textAt(root, aside), 'changed');
    // It outlives another install and uninstall.
    run(root);
    undo(root);
    assert.equal(textAt(root, aside), 'changed');
    assert.deepEqual(readdirSync(join(root, '/var/lib/vxn-config')), ['replaced']);
  });

  test('install --force keeps what was changed aside, and uninstall brings back what was there first', () => {
    const { root, ours } = changedSince();
    const aside = place(
      run(root, [], { force: true }),
      /^replaced {3}\/usr\/bin\/vctr: what was there is (\S+) now$/m,
    );
    assert.deepEqual([textAt(root, VCTR), textAt(root, aside)], [ours, 'changed']);
    undo(root);
    assert.deepEqual([textAt(root, VCTR), textAt(root, aside)], ['theirs', 'changed']);
  });

  test('what another target has not and somebody has changed is kept, with its backup', () => {
    const root = rootWith({ '/etc/containers/containers.conf.d/50-vxn.conf': 'theirs' });
    const original = everything(root);
    run(root);
    writeFileSync(join(root, '/etc/containers/containers.conf.d/50-vxn.conf'), 'changed');
    const context = testContext();
    install(context, { target: 'k3s', root });
    const backup = place(
      context.printed.join(''),
      /^kept .*50-vxn\.conf: .* is (\S+); --force brings that back$/m,
    );
    assert.equal(textAt(root, backup), 'theirs');
    const installed = everything(root);
    install(testContext(), { target: 'k3s', root });
    assert.deepEqual(everything(root), installed);
    install(testContext(), { target: 'k3s', root, force: true });
    assert.equal(textAt(root, '/etc/containers/containers.conf.d/50-vxn.conf'), 'theirs');
    undo(root);
    rmSync(join(root, 'var'), { recursive: true });
    assert.deepEqual(everything(root), original);
  });

  test('a file of others in which our part cannot be found any more is kept, with its backup', () => {
    const root = rootWith({ [CONFIG]: DEBIAN });
    run(root);
    const formatted = textAt(root, CONFIG).replaceAll(/ *#.*/g, '');
    writeFileSync(join(root, CONFIG), formatted);
    const backup = place(undo(root), /^kept {6}\/etc\/containerd\/config\.toml: .* is (\S+); --force/m);
    assert.deepEqual([textAt(root, CONFIG), textAt(root, backup)], [formatted, DEBIAN]);
    writeFileSync(join(root, CONFIG), `${DEBIAN}# later\n`);
    assert.match(undo(root), /^gone {6}\/etc\/containerd\/config\.toml$/m);
    assert.equal(textAt(root, CONFIG), `${DEBIAN}# later\n`);
  });

  test('another target replaces the first: what it has not, goes', () => {
    const root = rootWith({ '/keep': 'x' });
    run(root);
    const context = testContext();
    install(context, { target: 'k3s', root });
    assert.ok(!existsSync(join(root, OTHER)));
    assert.ok(existsSync(join(root, '/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.tmpl')));
    undo(root);
    assert.deepEqual(everything(root), { keep: '644 x' });
  });
  const OTHER = DAEMON;

  test('--dry-run says what it would do and does nothing', () => {
    const root = rootWith({ [DAEMON]: '{}' });
    const original = everything(root);
    assert.match(run(root, [], { dryRun: true }), /^edited {5}\/etc\/docker\/daemon\.json$/m);
    assert.deepEqual(everything(root), original);
    throwsVxn(() => undo(root), 'DOES_NOT_EXIST', 'has installed nothing');
  });

  test('modes and owners of files of others stay', () => {
    const root = rootWith({});
    mkdirSync(join(root, '/etc/docker'), { recursive: true });
    writeFileSync(join(root, DAEMON), '{}', { mode: 0o600 });
    run(root);
    assert.equal(statSync(join(root, DAEMON)).mode & 0o777, 0o600);
    undo(root);
    assert.equal(statSync(join(root, DAEMON)).mode & 0o777, 0o600);
  });

  test('links are followed inside the root, never out of it', () => {
    const outside = temporaryFolder();
    const root = rootWith({ '/data/docker/real.json': '{ "a": 1 }' });
    mkdirSync(join(root, 'etc'));
    symlinkSync('/data/docker', join(root, 'etc/docker'));
    symlinkSync('../../../../../../data/docker/real.json', join(root, 'data/docker/daemon.json'));
    symlinkSync(outside, join(root, 'etc/vxn'));
    symlinkSync('/etc/loop', join(root, 'etc/loop'));
    const original = everything(root);
    run(root);
    assert.deepEqual(readdirSync(outside), []);
    assert.match(readFileSync(join(root, 'data/docker/real.json'), 'utf8'), /vxn-oci-runtime/);
    assert.ok(existsSync(join(root, outside, 'vxn.yaml')));
    undo(root);
    assert.deepEqual(everything(root), original);
  });

  test('whenever install dies, uninstall brings back what was there', () => {
    const files = { [CONFIG]: DEBIAN, [DAEMON]: '{ "a": 1 }', '/usr/bin/vctr': 'another' };
    const whole = rootWith(files);
    run(whole);
    const { entries } = JSON.parse(
      readFileSync(join(whole, '/var/lib/vxn-config/installed.json'), 'utf8'),
    ) as {
      entries: { path: string }[];
    };
    for (let done = 0; done <= entries.length; done++) {
      const root = rootWith(files);
      const original = everything(root);
      cpSync(join(whole, 'var'), join(root, 'var'), { recursive: true });
      for (const { path } of entries.slice(0, done)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        cpSync(join(whole, path), join(root, path), { verbatimSymlinks: true });
      }
      undo(root);
      assert.deepEqual(everything(root), original, `${done} files`);
    }
  });
});
