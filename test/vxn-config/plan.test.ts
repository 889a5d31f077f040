// SPDX-License-Identifier: MIT
// Every file of every target, as text to be reviewed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planInput } from '../../src/vxn-config/commands/context.ts';
import { targetNames } from '../../src/vxn-config/load.ts';
import { launcher, type Planned } from '../../src/vxn-config/plan.ts';
import { unifiedDiff } from '../../src/vxn-config/unified.ts';
import { matchesSnapshot } from '../fixtures/snapshot.ts';
import { readPlanned } from '../fixtures/syntax.ts';
import { planned, TEMPLATES, testContext } from '../fixtures/target.ts';

function asText(file: Planned): string {
  if ('link' in file) return `==== ${file.path} -> ${file.link}\n`;
  return `==== ${file.path} ${file.mode.toString(8).padStart(4, '0')}\n${file.content}`;
}

for (const name of targetNames(TEMPLATES)) {
  test(`the files of ${name}`, () => {
    const files = planned(name);
    const head = `==== the head of vxn-oci-runtime\n${launcher(planInput(testContext(), { target: name }))}\n`;
    matchesSnapshot(`target-${name}.txt`, files.map(asText).join('') + head);
    for (const file of files) readPlanned(file);
    assert.deepEqual(
      files.map((f) => f.path),
      [...new Set(files.map((f) => f.path))].sort(),
    );
  });
}

/** What else a description can say, as differences to the target that it starts from. */
const VARIANTS: [title: string, target: string, set: string[]][] = [
  ['containerd 1.6', 'generic-x86-64', ['containerd.version=1.6']],
  ['containerd 2.0', 'generic-x86-64', ['containerd.version=2.0']],
  ['containerd 2.1 with one file', 'generic-x86-64', ['containerd.version=2.1', 'containerd.layout=file']],
  ['containerd 2.3', 'qemux86-64', ['containerd.version=2.3']],
  [
    'containerd 2.3 behind a file of version 3',
    'qemux86-64',
    ['containerd.version=2.3', 'containerd.configVersion=3'],
  ],
  ['runc-options', 'qemux86-64', ['containerd.form=runc-options', 'containerd.systemdCgroup=true']],
  [
    'vxn by default, snapshotter and sandbox image',
    'generic-x86-64',
    [
      'containerd.defaultRuntime=vxn',
      'containerd.snapshotter=native',
      'containerd.sandboxImage=registry.local/pause:3.10',
      'docker.defaultRuntime=vxn',
      'docker.form=shim',
      'podman.defaultRuntime=vxn',
    ],
  ],
  [
    'the same for containerd 2',
    'qemux86-64',
    [
      'containerd.defaultRuntime=vxn',
      'containerd.snapshotter=native',
      'containerd.sandboxImage=registry.local/pause:3.10',
      'engines=[containerd]',
    ],
  ],
  [
    'k3s with containerd 1.7, snapshotter and sandbox image',
    'k3s',
    [
      'containerd.version=1.7',
      'containerd.snapshotter=native',
      'containerd.sandboxImage=registry.local/pause:3.10',
    ],
  ],
  ['k3s with a snapshotter', 'k3s', ['containerd.snapshotter=native']],
  [
    'a cluster’s nodes',
    'generic-x86-64',
    [
      'engines=[containerd, kubernetes]',
      'kubernetes.nodeSelector=[vxn=yes, a.b/c=]',
      'kubernetes.overheadMemory=200',
    ],
  ],
  [
    'other paths',
    'generic-x86-64',
    [
      'paths.bindir=/opt/vxn/bin',
      'paths.libexecdir=/opt/vxn/libexec',
      'paths.sysconfdir=/opt/etc',
      'paths.localstatedir=/data',
      'paths.blobs=/boot/guest',
      'paths.kernel=vmlinux',
    ],
  ],
  [
    'settings',
    'generic-x86-64',
    [
      'defaults.memory=512',
      'defaults.annotations=[memory]',
      'defaults.cmdline="a: b # c"',
      'defaults.runDir=/run/v',
    ],
  ],
  ['nothing for systemd, no modules', 'generic-x86-64', ['systemd.enable=false', 'modules=[]', 'engines=[]']],
];

// The heads name what was set: that is the same in every file.
const body = (file: Planned): string =>
  'link' in file
    ? `link to ${file.link}\n`
    : file.content.replace(/^# (?:Made by|For containerd) .*\n/gm, '');

/** How a variant differs from its target, file by file of a kind; where only the path is another, that alone. */
function differences(base: readonly Planned[], variant: readonly Planned[]): string {
  const same = (file: Planned): Planned | undefined => base.find((b) => b.path === file.path);
  const gone = base.filter((b) => !variant.some((v) => v.path === b.path));
  const changed = variant.map((file) => {
    const origin = same(file) ?? gone.find((b) => b.kind === file.kind);
    if (origin === undefined)
      return `new ${file.path}\n${unifiedDiff('/dev/null', file.path, '', body(file))}`;
    const moved = origin.path === file.path ? '' : `${origin.path} is ${file.path}\n`;
    return moved + unifiedDiff(origin.path, file.path, body(origin), body(file));
  });
  const unused = gone.filter((b) => !variant.some((v) => v.kind === b.kind && same(v) === undefined));
  return changed.join('') + unused.map((b) => `gone ${b.path}\n`).join('');
}

test('what else a description can say', () => {
  const text = VARIANTS.map(([title, target, set]) => {
    const variant = planned(target, set);
    for (const file of variant) readPlanned(file);
    return `######## ${title}: ${target} ${set.join(' ')}\n${differences(planned(target), variant)}`;
  });
  matchesSnapshot('target-variants.txt', text.join(''));
});

test('the same description gives the same bytes, without a date or a path of this machine', () => {
  const [a, b] = [planned('k3s'), planned('k3s')];
  assert.deepEqual(a, b);
  const all = a.map(asText).join('');
  assert.ok(!all.includes(process.cwd()));
  assert.ok(!all.includes(String(new Date().getFullYear())));
});
