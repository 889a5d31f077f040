// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { domainName } from '../../src/container/container.ts';
import { physicalCpus } from '../../src/xen/host.ts';
import { type Created, Host, STATE_ROOT } from '../fixtures/host.ts';

const host = new Host();
const MIB = 1 << 20;
const SILENT = { status: 0, stdout: '', stderr: '' };

let c: Created;
let domain: string;

before(async () => {
  const bundle = host.bundle({
    annotations: { 'org.openembedded.vxn.maxmem': '512', 'org.openembedded.vxn.maxvcpus': '3' },
    process: { args: ['/bin/sleep', '600'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
  });
  c = host.create('u', { bundle });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', 'u']), SILENT);
  domain = join(host.folder, 'domains', host.domains(domainName(STATE_ROOT, 'u'))[0] ?? '');
});
after(async () => {
  host.run(['delete', '--force', 'u']);
  await c.exit;
});

/** Runs update with these resources on its standard input. */
function update(resources: object | string, ...form: string[]): object {
  const { status, stdout, stderr } = spawnSync(
    host.runtime,
    ['--root', STATE_ROOT, 'update', ...(form.length > 0 ? form : ['--resources', '-']), 'u'],
    {
      input: typeof resources === 'string' ? resources : JSON.stringify(resources),
      encoding: 'utf8',
      env: { VXN_CONFIG: join(host.folder, 'config.json') },
    },
  );
  return { status, stdout, stderr };
}
const failure = (text: string): object => ({ status: 1, stdout: '', stderr: `${text}\n` });
const kept = (name: string): string =>
  existsSync(join(domain, name)) ? readFileSync(join(domain, name), 'utf8').trim() : '';
const seen = (): object => ({
  memory: kept('memory'),
  vcpus: kept('vcpus'),
  share: kept('share'),
  cpus: kept('cpus'),
});
const stored = () => ({ ...host.stored('u'), ...host.storedDomain('u') });

beforeEach(() => host.fault(undefined));

test('memory goes down and up, and the state follows', () => {
  assert.deepEqual(update({ memory: { limit: 64 * MIB } }), SILENT);
  assert.equal(kept('memory'), '160');
  assert.equal(stored().size.memory, 160);
  assert.deepEqual(update({ memory: { limit: 400 * MIB } }, '--resources=-'), SILENT);
  assert.equal(kept('memory'), '496');
  const file = join(host.folder, 'resources.json');
  writeFileSync(file, JSON.stringify({ memory: { limit: 160 * MIB, swap: 320 * MIB } }));
  assert.deepEqual(host.run(['update', '-r', file, 'u']), SILENT);
  assert.equal(kept('memory'), '256');
  assert.deepEqual(host.run(['update', '--memory', '100m', 'u']), SILENT);
  assert.equal(kept('memory'), '196');
});

test('processors: vcpus and cap of a quota, weight of shares', () => {
  assert.deepEqual(update({ cpu: { quota: 150_000, period: 100_000 } }), SILENT);
  const two = Math.min(2, physicalCpus() ?? 2);
  assert.equal(kept('vcpus'), String(two));
  assert.equal(kept('share'), 'weight 256 cap 150');
  assert.deepEqual(update({ cpu: { shares: 4096 } }), SILENT);
  assert.equal(kept('share'), 'weight 1024 cap 150');
  assert.deepEqual(host.run(['update', '--cpu-quota', '50000', '--cpuset-cpus', '0', 'u']), SILENT);
  assert.deepEqual(seen(), { ...seen(), vcpus: '1', share: 'weight 1024 cap 50', cpus: '0' });
  writeFileSync(join(host.folder, 'scheduler'), 'credit');
  assert.deepEqual(update({ cpu: { shares: 1024 } }), SILENT);
  assert.equal(kept('share'), 'weight 256 cap 50');
  assert.match(readFileSync(join(host.folder, 'xl.log'), 'utf8'), /^sched-credit -d \d+ -w 256 -c 50$/m);
  rmSync(join(host.folder, 'scheduler'));
});

test('an update of nothing, and one of what cannot be changed but stays as it is', () => {
  const before = seen();
  assert.deepEqual(update({}), SILENT);
  assert.deepEqual(
    update({ pids: { limit: 0 }, blockIO: {}, devices: [{ allow: false, access: 'rwm' }] }),
    SILENT,
  );
  assert.deepEqual(seen(), before);
});

const REFUSED: [name: string, resources: object | string, text: string | RegExp][] = [
  [
    'more memory than maxmem',
    { memory: { limit: 450 * MIB } },
    /^memory of 546 MiB .* can have, which is 512 MiB \(annotation/,
  ],
  [
    'too much beside what would do',
    { cpu: { shares: 9 }, memory: { limit: 2 ** 34 } },
    /can have, which is 512 MiB/,
  ],
  ['a limit on processes', { pids: { limit: 5 } }, /^update: pids cannot be changed \(/],
  ['a wrong type', { memory: { limit: 'x' } }, /memory\.limit must be an integer$/],
  ['no JSON', '{', /^--resources -: /],
];
for (const [name, resources, text] of REFUSED) {
  test(`refused without effect: ${name}`, () => {
    const before = [seen(), stored()];
    const { status, stdout, stderr } = update(resources) as {
      status: number;
      stdout: string;
      stderr: string;
    };
    assert.deepEqual([status, stdout, stderr.split('\n').length], [1, '', 2]);
    if (typeof text === 'string') assert.equal(stderr.trimEnd(), text);
    else assert.match(stderr.trimEnd(), text);
    assert.deepEqual([seen(), stored()], before);
  });
}

test('memory that the guest uses is not taken from it', () => {
  assert.deepEqual(update({ memory: { limit: 200 * MIB } }), SILENT);
  const meminfo = join(domain, 'proc/meminfo');
  const before = seen();
  const honest = readFileSync(meminfo, 'utf8');
  writeFileSync(meminfo, honest.replace(/(MemAvailable:) +\d+/, '$1 50000'));
  assert.deepEqual(
    update({ memory: { limit: 64 * MIB } }),
    failure('the guest cannot give back 136 MiB: it uses 209 MiB (nothing was changed)'),
  );
  assert.deepEqual(seen(), before);
  writeFileSync(meminfo, honest);
});

test('a guest without a balloon driver: the update is taken back', () => {
  const before = [seen(), stored()];
  host.fault('no-balloon');
  const { status, stderr } = update({ cpu: { shares: 77 }, memory: { limit: 300 * MIB } }) as Record<
    string,
    unknown
  >;
  host.fault(undefined);
  assert.equal(status, 1);
  assert.match(
    String(stderr),
    /^the guest does not go from 296 to 396 MiB \(nothing was changed; its kernel needs CONFIG_XEN_BALLOON/,
  );
  assert.deepEqual([seen(), stored()], before);
  assert.match(
    readFileSync(join(host.folder, 'xl.log'), 'utf8').trimEnd().split('\n').at(-1) ?? '',
    /^mem-set \d+ 296m$/,
  );
});

test('what was done before a step that fails is undone', () => {
  const before = [seen(), stored()];
  host.fault('pin-fails');
  const answer = update({ memory: { limit: 100 * MIB }, cpu: { quota: 100_000, shares: 512, cpus: '0' } });
  host.fault(undefined);
  assert.deepEqual(answer, failure('xl vcpu-pin failed: Setting vcpu affinity: Invalid argument'));
  assert.deepEqual([seen(), stored()], before);
});

test('a scheduler without weights', () => {
  writeFileSync(join(host.folder, 'scheduler'), 'null');
  const answer = update({ cpu: { shares: 512 } });
  rmSync(join(host.folder, 'scheduler'));
  assert.deepEqual(
    answer,
    failure("Xen's scheduler here (null) has no weights and caps (boot Xen with sched=credit2)"),
  );
});

test('a paused container: what needs its guest waits for resume, the rest does not', () => {
  assert.deepEqual(host.run(['pause', 'u']), SILENT);
  assert.deepEqual(update({ cpu: { shares: 2048 } }), SILENT);
  assert.match(kept('share'), /weight 512/);
  assert.deepEqual(
    update({ memory: { limit: 64 * MIB } }),
    failure('container paused: its guest cannot change its memory (resume it first)'),
  );
  assert.deepEqual(host.run(['resume', 'u']), SILENT);
  assert.deepEqual(update({ memory: { limit: 64 * MIB } }), SILENT);
});

test('an update that was killed after xl did its work is repeated, not skipped', () => {
  // This is the state when update dies between mem-set and state.json.
  const [id = ''] = domain.split('/').slice(-1);
  assert.equal(spawnSync(host.config.xl, ['mem-set', id, '128m']).status, 0);
  assert.deepEqual(update({ memory: { limit: 64 * MIB } }), SILENT);
  assert.equal(kept('memory'), '160');
});

test('two at once: one after the other', async () => {
  const many = [64, 80, 96, 112].map((mib) => host.begin(['update', '--memory', `${mib}m`, 'u']).result);
  for (const result of await Promise.all(many)) assert.deepEqual(result, SILENT);
  assert.equal(kept('memory'), String(stored().size.memory));
});

test('bad input', async () => {
  assert.deepEqual(host.run(['update', '--memory', '64m', 'nobody']), failure('container does not exist'));
  assert.match(host.run(['update', 'u']).stderr, /^update needs --resources FILE or a limit/);
  assert.deepEqual(
    host.run(['update', '--memory', 'lots', 'u']),
    failure('invalid value for memory: "lots"'),
  );
  assert.deepEqual(
    host.run(['update', '--cpu-share', '1.5', 'u']),
    failure('invalid value for cpu-share: "1.5"'),
  );
  const ended = host.create('ended', { bundle: host.script('true') });
  assert.equal(await ended.created, 0);
  host.run(['start', 'ended']);
  await ended.exit;
  assert.deepEqual(host.run(['update', '--memory', '64m', 'ended']), failure('container not running'));
  host.run(['delete', 'ended']);
});
