// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import {
  type Container,
  checkId,
  domainName,
  type Places,
  placesOf,
  STATE_FORMAT,
} from '../../src/container/container.ts';
import { removeStaleDisks } from '../../src/container/stale-disks.ts';
import { statusOf } from '../../src/container/status.ts';
import {
  claim,
  find,
  listContainers,
  load,
  loadAny,
  makeDiskFolder,
  removeClaims,
} from '../../src/container/store.ts';
import { DOMAINS, domainPlaces } from '../../src/domain/domain.ts';
import { identify, isAlive, type ProcessId } from '../../src/host/process-id.ts';
import { shortHash } from '../../src/host/short-hash.ts';
import { state } from '../../src/verbs/state.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
const CONFIG = { ...DEFAULTS, runDir: join(folder, 'run'), libDir: join(folder, 'lib') };
const SELF = identify(process.pid) as ProcessId;
const GONE: ProcessId = { pid: process.pid, startTime: '1' };

const stored = (change: Partial<Container>): Container => ({
  format: STATE_FORMAT,
  ociVersion: '1.3.0',
  id: 'a',
  root: '/r',
  bundle: '/b',
  rootfs: '/b/rootfs',
  created: '2026-01-01T00:00:00.000Z',
  annotations: {},
  domain: 'u',
  maker: SELF,
  ...change,
});

for (const id of ['a', 'A-1_b+c.d', '...', '-', '0'.repeat(64), 'x'.repeat(1024)]) {
  test(`id ${id.slice(0, 20)} (${id.length}) is taken`, () => checkId(id));
}
for (const id of ['', '.', '..', 'a/b', '../a', 'a b', 'ü', 'a\n', 'a\0', 'a:b', 'x'.repeat(1025)]) {
  test(`id ${JSON.stringify(id.slice(0, 20))} (${id.length}) is refused`, () => {
    throwsVxn(() => checkId(id), 'INVALID_ID', 'invalid container ID: "');
  });
}

test('the control socket fits sun_path in the longest runDir there may be', () => {
  const config = { ...DEFAULTS, runDir: `/${'r'.repeat(14)}` };
  const { control } = domainPlaces(config, '01234567-89ab-cdef-0123-456789abcdef');
  assert.ok(Buffer.byteLength(control) <= 107, `${control.length}`);
});

test('the folder of every id is short', () => {
  for (let length = 1; length <= 1024; length += 7) {
    const { run } = placesOf(DEFAULTS, '/run/containerd/runc/k8s.io', 'x'.repeat(length));
    assert.ok(Buffer.byteLength(run) <= 90, `${length}: ${run.length}`);
  }
});

test('folders differ by root and by id, also where ids are cut', () => {
  const places = [
    placesOf(DEFAULTS, '/a', 'id'),
    placesOf(DEFAULTS, '/b', 'id'),
    placesOf(DEFAULTS, '/a', `${'x'.repeat(100)}1`),
    placesOf(DEFAULTS, '/a', `${'x'.repeat(100)}2`),
  ];
  assert.equal(new Set(places.map((p) => p.run)).size, places.length);
  assert.equal(placesOf(DEFAULTS, '/a/', 'id').run, placesOf(DEFAULTS, '/a', 'id').run);
});

test('domain names: at most 64 characters, readable, different by root and id', () => {
  const long = 'f'.repeat(64);
  const names = [
    domainName('/a', 'web'),
    domainName('/b', 'web'),
    domainName('/a', long),
    domainName('/a', `${long}0`),
  ];
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^vxn-[A-Za-z0-9_+.-]{1,40}-[0-9a-f]{16}$/);
});

test('the hash is FNV-1a of 64 bits', () => {
  assert.equal(shortHash(''), 'cbf29ce484222325');
  assert.equal(shortHash('a'), 'af63dc4c8601ec8c');
  assert.equal(shortHash('foobar'), '85944171f73967e8');
});

function made(id: string, change: Partial<Container>): Places {
  const places = placesOf(CONFIG, '/r', id);
  claim(places, stored({ id, ...change }));
  return places;
}

const STATES: [name: string, change: Partial<Container>, started: boolean, status: string][] = [
  ['no monitor yet, its maker lives', {}, false, 'creating'],
  ['no monitor, its maker is gone', { maker: GONE }, false, 'stopped'],
  ['the monitor lives', { maker: GONE, holder: SELF }, false, 'created'],
  ['the monitor lives and the program was started', { maker: GONE, holder: SELF }, true, 'running'],
  ['another process has the pid of the monitor', { maker: GONE, holder: GONE }, true, 'stopped'],
  ['nobody has the pid of the monitor', { holder: { pid: 2 ** 22 + 1, startTime: '5' } }, true, 'stopped'],
];
for (const [i, [name, change, started, status]] of STATES.entries()) {
  test(`state: ${name}: ${status}`, () => {
    const places = made(`s${i}`, change);
    if (started) writeFileSync(places.started, '');
    assert.equal(statusOf(places, load(places)), status);
    const { pid } = state(CONFIG, '/r', `s${i}`);
    assert.equal(pid, status === 'stopped' || change.holder === undefined ? 0 : process.pid);
  });
}

test('a zombie is not alive', async () => {
  // cat's parent, once it is a sleep, never waits for it.
  const child = spawn('sh', ['-c', 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec 3<&- sleep 60'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  const id = identify(Number(data.toString()));
  assert.ok(id !== undefined && isAlive(id));
  child.stdin.end();
  const deadline = Date.now() + 20_000;
  while (isAlive(id) && Date.now() < deadline) await new Promise((r) => setTimeout(r, 20));
  assert.equal(isAlive(id), false);
  assert.ok(existsSync(`/proc/${id.pid}`), 'it is still a zombie');
  child.kill('SIGKILL');
});

test('a process whose name holds brackets and spaces is read right', async () => {
  const child = spawn('sh', ['-c', 'printf "%s" ") Z 1 (" > /proc/self/comm; echo on; read x'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const id = identify(child.pid ?? 0);
  assert.ok(id !== undefined && isAlive(id));
  child.kill('SIGKILL');
});

test('claim: with its state from the first moment; the second one is refused', () => {
  const places = placesOf(CONFIG, '/claims', 'twice');
  assert.equal(claim(places, stored({ id: 'twice' })), true, 'the first of this root');
  throwsVxn(
    () => claim(places, stored({ id: 'other' })),
    'ALREADY_EXISTS',
    /^container with given ID already exists$/,
  );
  assert.equal(find(places)?.id, 'twice');
  assert.equal(claim(placesOf(CONFIG, '/claims', 'more'), stored({ id: 'more' })), false);
  assert.deepEqual(readdirSync(dirname(places.run)), ['more', 'twice']);
});

test('claim: an empty folder, the last there is of a removed container, is taken', () => {
  const places = placesOf(CONFIG, '/claims', 'emptied');
  mkdirSync(places.run, { recursive: true });
  claim(places, stored({ id: 'emptied' }));
  assert.equal(find(places)?.id, 'emptied');
});

test('claims of processes that are gone are removed, and listed by nobody', () => {
  const places = placesOf(CONFIG, '/claims', 'begun');
  const claims = [2 ** 22 + 1, process.pid].map((pid) => `${places.run}~${pid}`);
  for (const folder of claims) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'state.json'), JSON.stringify(stored({ id: 'begun' })));
  }
  removeClaims(places);
  assert.deepEqual(
    claims.map((folder) => existsSync(folder)),
    [false, true],
  );
  assert.equal(
    listContainers(CONFIG, '/claims').some((c) => c.container.id === 'begun'),
    false,
  );
});

test('the first layout of state.json: looked at, listed, and refused for everything else', () => {
  const places = placesOf(CONFIG, '/legacy', 'old');
  const { format: _f, domain: _d, ...rest } = stored({ id: 'old', root: '/legacy' });
  mkdirSync(places.run, { recursive: true });
  const own = { uuid: 'U', domain: 'vxn-old', domid: 7, monitor: SELF, network: { mode: 'namespace' } };
  writeFileSync(places.state, JSON.stringify({ ...rest, ...own }));
  writeFileSync(places.started, '');
  const container = loadAny(places);
  const { domain, holder, legacy } = container;
  assert.deepEqual([domain, holder, legacy?.name, legacy?.domid], ['U', SELF, 'vxn-old', 7]);
  assert.equal(statusOf(places, container), 'running');
  assert.deepEqual(
    listContainers(CONFIG, '/legacy').map((c) => c.container.id),
    ['old'],
  );
  throwsVxn(() => load(places), 'UNSUPPORTED', 'this container was made by an earlier version of vxn');
});

test('the disk’s folder begins empty', () => {
  const places = placesOf(CONFIG, '/r', 'disk');
  mkdirSync(places.lib, { recursive: true });
  writeFileSync(places.rootDisk, 'old');
  makeDiskFolder(places);
  assert.deepEqual(readdirSync(places.lib), []);
});

test('disks of containers and logs of domains that are no more go, all others stay', () => {
  const config = { ...CONFIG, runDir: join(folder, 'sr'), libDir: join(folder, 'sl') };
  const [gone, there] = ['gone', 'there'].map((id) => placesOf(config, '/stale', id)) as [Places, Places];
  const kept = join(config.libDir, 'timelines/x');
  const domains = ['gone', 'there'].map((uuid) => domainPlaces(config, uuid));
  const logs = domains.map(({ lib }) => lib);
  mkdirSync(join(config.runDir, DOMAINS, 'there'), { recursive: true });
  for (const lib of [gone.lib, there.lib, kept, ...logs]) mkdirSync(lib, { recursive: true });
  writeFileSync(gone.rootDisk, 'old');
  claim(there, stored({ id: 'there' }));
  removeStaleDisks(config);
  assert.deepEqual(
    [gone.lib, there.lib, kept, ...logs].map((lib) => existsSync(lib)),
    [false, true, true, false, true],
  );
});

test('state.json is written whole, mode 0600, and nothing is left beside it', () => {
  const places = made('file', {});
  assert.deepEqual(find(places), stored({ id: 'file' }));
  assert.equal(JSON.parse(readFileSync(places.state, 'utf8')).id, 'file');
});

test('an unknown container', () => {
  const places = placesOf(CONFIG, '/r', 'nobody');
  assert.equal(find(places), undefined);
  throwsVxn(() => load(places), 'DOES_NOT_EXIST', /^container does not exist$/);
});

test('list: those of one root, long ids whole, folders without state left out', () => {
  const root = '/list';
  const long = 'l'.repeat(200);
  for (const id of ['b', 'a', long]) {
    const places = placesOf(CONFIG, root, id);
    claim(places, stored({ id, root }));
  }
  mkdirSync(placesOf(CONFIG, root, 'half').run);
  assert.deepEqual(
    listContainers(CONFIG, root).map((c) => c.container.id),
    ['a', 'b', long],
  );
  assert.deepEqual(listContainers(CONFIG, '/never'), []);
});
