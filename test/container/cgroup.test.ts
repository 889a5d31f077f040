// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  cgroupPath,
  cgroupRequest,
  type Hierarchy,
  hierarchies,
  makeCgroup,
  planCgroup,
  provideCgroup,
  removeCgroup,
} from '../../src/container/cgroup.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const PATHS: [cgroupsPath: string, path: string][] = [
  ['/docker/0123', '/docker/0123'],
  ['/a//b/./c/', '/a/b/c'],
  ['/kubepods/besteffort/pod1/x', '/kubepods/besteffort/pod1/x'],
  ['/../../etc', '/etc'],
  ['/a/../../b', '/b'],
  ['my/group', '/vxn/my/group'],
  ['../../my', '/vxn/my'],
  ['/with:two:colons', '/with:two:colons'],
  ['one:colon', '/vxn/one:colon'],
  ['system.slice:docker:0123', '/system.slice/docker-0123.scope'],
  [':docker:0123', '/system.slice/docker-0123.scope'],
  ['system.slice::0123', '/system.slice/0123.scope'],
  ['-.slice:p:n', '/p-n.scope'],
  [
    'kubepods-besteffort-pod5.slice:cri-containerd:ab',
    '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod5.slice/cri-containerd-ab.scope',
  ],
  ['machine.slice:libpod:own.slice', '/machine.slice/own.slice'],
];
for (const [cgroupsPath, path] of PATHS) {
  test(`linux.cgroupsPath ${cgroupsPath} is ${path}`, () => assert.equal(cgroupPath(cgroupsPath), path));
}

for (const cgroupsPath of ['/', '.', '..', '/..', 'a:b:c', 'a--b.slice:p:n', '-a.slice:p:n', '.slice:p:n']) {
  test(`refused: linux.cgroupsPath ${cgroupsPath}`, () => {
    throwsVxn(() => cgroupPath(cgroupsPath), 'INVALID_SPEC', 'config.json: linux.cgroupsPath ');
  });
}

test('without linux.cgroupsPath it is /vxn/NAME, and nobody insists on it', () => {
  for (const absent of [undefined, '']) {
    const { path, asked } = cgroupRequest(absent, 'vxn-web-1');
    assert.deepEqual([path, asked], ['/vxn/vxn-web-1', false]);
  }
  assert.equal(cgroupRequest('/x', 'vxn-web-1').asked, true);
});

const V2 = '29 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
40 31 0:37 / /sys/fs/cgroup/with\\040space rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
77 31 0:31 /part /mnt/cpuset rw - cgroup cgroup rw,cpuset
`;

test('hierarchies: v2, hybrid, a part of one that is mounted elsewhere', () => {
  assert.deepEqual(hierarchies(V2), [{ mount: '/sys/fs/cgroup', version: 2, cpuset: false }]);
  const expected = [
    { mount: '/sys/fs/cgroup/cpu,cpuacct', version: 1, cpuset: false },
    { mount: '/sys/fs/cgroup/cpuset', version: 1, cpuset: true },
    { mount: '/sys/fs/cgroup/with space', version: 1, cpuset: false },
    { mount: '/sys/fs/cgroup/unified', version: 2, cpuset: false },
  ];
  assert.deepEqual(hierarchies(HYBRID), expected);
  const reversed = HYBRID.trim().split('\n').reverse().join('\n');
  assert.deepEqual(
    hierarchies(reversed)
      .map((h) => h.mount)
      .sort(),
    expected.map((h) => h.mount).sort(),
  );
  assert.deepEqual(hierarchies('22 1 8:1 / / rw - ext4 /dev/sda1 rw\n'), []);
});

function fake(versions: Record<string, 1 | 2>): Hierarchy[] {
  const root = temporaryFolder();
  return Object.entries(versions).map(([name, version]) => {
    mkdirSync(join(root, name));
    return { mount: join(root, name), version, cpuset: name === 'cpuset' };
  });
}

test('v1: a cgroup in each hierarchy, removed with what is below it; others stay', async () => {
  const found = fake({ memory: 1, pids: 1 });
  const [memory = '', pids = ''] = found.map((h) => h.mount);
  mkdirSync(join(memory, 'docker/other'), { recursive: true });
  const plan = planCgroup(found, '/docker/one');
  assert.deepEqual(plan, {
    join: [`${memory}/docker/one`, `${pids}/docker/one`],
    made: [`${memory}/docker/one`, `${pids}/docker`, `${pids}/docker/one`],
  });
  makeCgroup(found, '/docker/one');
  mkdirSync(join(pids, 'docker/one/init.scope/deep'), { recursive: true });
  await removeCgroup(plan);
  assert.equal(existsSync(join(memory, 'docker/one')), false);
  assert.equal(existsSync(join(memory, 'docker/other')), true);
  assert.equal(existsSync(join(pids, 'docker')), false);
  await removeCgroup(plan);
});

test('an outer folder that another container uses by now stays', async () => {
  const found = fake({ unified: 2 });
  const plan = planCgroup(found, '/a/one');
  makeCgroup(found, '/a/one');
  makeCgroup(found, '/a/two');
  await removeCgroup(plan);
  assert.equal(existsSync(join(found[0]?.mount ?? '', 'a/two')), true);
});

test('a cgroup that was there already is joined and not removed', async () => {
  const found = fake({ unified: 2 });
  makeCgroup(found, '/shared');
  const plan = planCgroup(found, '/shared');
  assert.deepEqual([plan.join.length, plan.made], [1, []]);
  await removeCgroup(plan);
  assert.equal(existsSync(plan.join[0] ?? ''), true);
});

test('a cpuset of v1 gets the processors and memory of the one above it', () => {
  const found = fake({ cpuset: 1 });
  const mount = found[0]?.mount ?? '';
  for (const [folder, cpus, mems] of [
    ['', '0-3\n', '0\n'],
    ['a', '\n', '\n'],
    ['a/b', '\n', '1\n'],
  ] as const) {
    mkdirSync(join(mount, folder), { recursive: true });
    writeFileSync(join(mount, folder, 'cpuset.cpus'), cpus);
    writeFileSync(join(mount, folder, 'cpuset.mems'), mems);
  }
  makeCgroup(found, '/a/b');
  const read = (file: string): string => readFileSync(join(mount, file), 'utf8');
  assert.deepEqual([read('a/cpuset.cpus'), read('a/b/cpuset.cpus')], ['0-3\n', '0-3\n']);
  assert.deepEqual([read('a/cpuset.mems'), read('a/b/cpuset.mems')], ['0\n', '1\n']);
});

test('v2: controllers are switched on above the container, where they are not yet', () => {
  const found = fake({ unified: 2 });
  const mount = found[0]?.mount ?? '';
  writeFileSync(join(mount, 'cgroup.controllers'), 'memory\n');
  writeFileSync(join(mount, 'cgroup.subtree_control'), '\n');
  mkdirSync(join(mount, 'a'));
  writeFileSync(join(mount, 'a/cgroup.controllers'), 'cpu memory\n');
  writeFileSync(join(mount, 'a/cgroup.subtree_control'), 'cpu memory\n');
  makeCgroup(found, '/a/b');
  assert.equal(readFileSync(join(mount, 'cgroup.subtree_control'), 'utf8'), '+memory');
  assert.equal(readFileSync(join(mount, 'a/cgroup.subtree_control'), 'utf8'), 'cpu memory\n');
});

test('a cgroup that cannot be made is an error only when config.json asks for it', async () => {
  // A file in the way, since root may write where it is read-only to others.
  const found = fake({ memory: 1, pids: 1 });
  writeFileSync(join(found[1]?.mount ?? '', 'x'), '');
  const plan = planCgroup(found, '/x/y');
  await assert.rejects(provideCgroup({ found, path: '/x/y', asked: true }, plan), {
    code: 'HOST',
    message: /^cannot make the cgroup \/x\/y: E(EXIST|NOTDIR)/,
  });
  assert.equal(await provideCgroup({ found, path: '/x/y', asked: false }, plan), false);
  assert.equal(existsSync(join(found[0]?.mount ?? '', 'x')), false, 'what was made is gone');
  await assert.rejects(provideCgroup({ found: [], path: '/x', asked: true }, { join: [], made: [] }), {
    message: 'cannot make the cgroup /x: no cgroup file system is mounted',
  });
});
