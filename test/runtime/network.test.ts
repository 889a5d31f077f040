// SPDX-License-Identifier: MIT
// The container's namespace is the guest's network. The monitor and the agent are real. A veth pair
// takes the place of the one that netback would make.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from '../fixtures/host.ts';
import { configJson, processJson } from '../fixtures/spec.ts';

const SILENT = { status: 0, stdout: '', stderr: '' };

// No address is ever tentative, so a namespace looks the same at any time.
const QUIET = 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; ip link set lo up; echo; exec sleep 3600';

// Everything happens in a network namespace that stands for Dom0's. The containers' namespaces are
// beside it.
const holders: ChildProcess[] = [];
async function namespace(): Promise<{ path: string; sh: (script: string) => string; end: () => void }> {
  const child = spawn('unshare', ['-n', 'sh', '-c', QUIET], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  holders.push(child);
  const { pid = 0 } = child;
  const path = `/proc/${pid}/ns/net`;
  const sh = (script: string): string => {
    const result = spawnSync('nsenter', [`--net=${path}`, 'sh', '-c', script], { encoding: 'utf8' });
    assert.equal(result.status, 0, `${script}\n${result.stderr}`);
    return result.stdout;
  };
  return { path, sh, end: () => void child.kill('SIGKILL') };
}

const dom0 = await namespace();
const host = new Host({ annotations: ['network-*'] }, { netns: dom0.path });

before(() =>
  // The bridge has a port of its own, so it has a carrier at any time.
  dom0.sh(`ip link add name br0 type bridge && ip addr add 10.9.0.1/24 dev br0 && ip link set br0 up
    ip link add name port type veth peer name end && ip link set end up && ip link set port master br0 up`),
);
after(() => {
  for (const child of holders) child.kill('SIGKILL');
});

let made = 0;
/** A namespace with an eth0 on br0, as engines make it. */
async function container(address: string, more = '') {
  const ns = await namespace();
  const port = `p${made++}`;
  dom0.sh(`ip link add ${port} type veth peer name eth0 netns ${/\d+/.exec(ns.path)?.[0]} &&
    ip link set ${port} master br0 up`);
  // The kernel's own address shows that it has noticed the carrier. Nothing changes after that.
  ns.sh(`ip addr add ${address} dev eth0; ip link set eth0 up; ip route add default via 10.9.0.1
    until ip -o addr show dev eth0 | grep -q ' fe80:'; do sleep 0.01; done; ${more}`);
  return { ...ns, port };
}

function linux(path: string): Record<string, unknown> {
  const namespaces = ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  return { linux: { namespaces: [...namespaces, { type: 'network', path }] } };
}

/**
 * The output of `ip` and `tc` about an engine's interface. It must be the same again after the
 * container's end.
 */
// An IPv6 address is tentative until the kernel has looked for a duplicate.
const traces = (ns: { sh: (script: string) => string }): string =>
  ns
    .sh('ip -o link; ip -o addr; ip route; tc qdisc; tc filter show dev eth0 ingress 2>/dev/null || true')
    .replaceAll(' tentative', '');

/** A program that may use raw sockets. */
function pinging(script: string): Record<string, unknown> {
  const raw = ['CAP_NET_RAW'];
  const capabilities = { bounding: raw, effective: raw, permitted: raw };
  return { process: processJson({ args: ['/bin/sh', '-c', script], capabilities }) };
}

const ping = (address: string): boolean =>
  spawnSync('nsenter', [`--net=${dom0.path}`, 'busybox', 'ping', '-c', '1', '-W', '2', address]).status === 0;

test('the guest has the address, answers, and leaves the namespace as it was', async () => {
  const ns = await container('10.9.0.2/24', 'ip link set eth0 mtu 1400');
  const before = traces(ns);
  const script =
    'cat /proc/net/route; busybox ip link show eth0; read x; busybox ping -c 1 10.9.0.1 >/dev/null && echo out';
  const c = host.create('one', { bundle: host.bundle({ ...pinging(script), ...linux(ns.path) }) });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', 'one']), SILENT);
  assert.ok(ping('10.9.0.2'));
  c.stdin.end('go\n');
  assert.equal(await c.exit, 0, c.text('stderr'));
  assert.match(c.text('stdout'), /^eth0\s+00000000\s+0100090A[\s\S]* mtu 1400 [\s\S]*\nout\n$/m);
  assert.deepEqual(host.run(['delete', 'one']), SILENT);
  assert.equal(traces(ns), before);
  assert.deepEqual(await host.leftovers('one'), []);
  assert.equal(ping('10.9.0.2'), true, 'the namespace answers itself again');
  ns.end();
});

test('what comes later is followed: addresses, an interface, its end', async () => {
  const ns = await container('10.9.0.3/24');
  const c = host.create('follow', { bundle: host.script('sleep 60', linux(ns.path)) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'follow']), SILENT);
  const until = async (what: () => boolean): Promise<void> => {
    for (let i = 0; i < 100 && !what(); i++) await sleep(50);
    assert.ok(what());
  };
  ns.sh('ip addr add 10.9.0.33/24 dev eth0');
  await until(() => ping('10.9.0.33'));
  const pid = /\d+/.exec(ns.path)?.[0];
  dom0.sh(
    `ip link add later type veth peer name eth1 netns ${pid}; ip addr add 10.8.0.1/24 dev later; ip link set later up`,
  );
  ns.sh('ip addr add 10.8.0.2/24 dev eth1; ip link set eth1 up');
  await until(() => ping('10.8.0.2'));
  dom0.sh('ip link del later');
  await until(() => !ns.sh('ip -o link').includes('vif1.1') && !/vif\d+\.1:/.test(ns.sh('ip -o link')));
  assert.ok(ping('10.9.0.3'));
  host.run(['delete', '--force', 'follow']);
  assert.equal(await c.exit, 137);
  assert.doesNotMatch(ns.sh('tc qdisc show dev eth0'), /ingress/);
  ns.end();
});

test('an interface that cannot be joined later does not end the following of others', async () => {
  const ns = await container('10.9.0.4/24');
  const c = host.create('without', { bundle: host.script('sleep 60', linux(ns.path)) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'without']), SILENT);
  const [domain] = host.domains();
  const log = join(host.domainPlaces('without').lib, 'monitor.log');
  // The vif cannot move in beside an interface of the same name.
  ns.sh(`ip link add vif${domain}.1 type veth peer name vif${domain}.99; ip link add eth1 type veth peer name vif0.0;
    ip link set eth1 up`);
  for (let i = 0; i < 100 && !readFileSync(log, 'utf8').includes('to eth1'); i++) await sleep(50);
  assert.match(readFileSync(log, 'utf8'), /^network: cannot join the virtual machine to eth1: /m);
  ns.sh('ip addr add 10.9.0.44/24 dev eth0');
  let answers = false;
  for (let i = 0; i < 20 && !answers; i++) answers = ping('10.9.0.44');
  assert.ok(answers);
  assert.equal(readFileSync(log, 'utf8').match(/to eth1/g)?.length, 1);
  assert.deepEqual(host.run(['delete', '--force', 'without']), SILENT);
  ns.end();
});

test("an engine's limit on the namespace's interface holds for the guest, both ways", async () => {
  const ns = await container(
    '10.9.0.11/24',
    'tc qdisc add dev eth0 root tbf rate 2mbit burst 4kb latency 1s',
  );
  const outer = `tc qdisc add dev ${ns.port} root tbf rate 2mbit burst 4kb latency 1s`;
  dom0.sh(outer);
  const c = host.create('limited', {
    bundle: host.script(
      'busybox nc -l -p 5000 -e /bin/busybox dd if=/dev/zero bs=1k count=200; read x',
      linux(ns.path),
    ),
  });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'limited']), SILENT);
  const got = dom0.sh('until busybox nc 10.9.0.11 5000 </dev/null; do sleep 0.1; done | wc -c');
  assert.equal(Number(got), 200 * 1024);
  c.stdin.end('\n');
  assert.equal(await c.exit, 0);
  for (const said of [
    ns.sh('tc -s qdisc show dev eth0 root'),
    dom0.sh(`tc -s qdisc show dev ${ns.port} root`),
  ])
    assert.match(said, /qdisc tbf [\s\S]*Sent [1-9]\d* bytes/);
  assert.match(ns.sh('tc -s qdisc show dev eth0 root'), /overlimits [1-9]/);
  host.run(['delete', 'limited']);
  assert.match(ns.sh('tc qdisc show dev eth0'), /^qdisc tbf/);
  ns.end();
});

test('a namespace that is empty, and network-mode none', async () => {
  const ns = await container('10.9.0.4/24');
  const none = { annotations: { 'org.openembedded.vxn.network-mode': 'none' }, ...linux(ns.path) };
  const script = "busybox sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev";
  for (const [id, change] of [
    ['empty', {}],
    ['none', none],
  ] as const) {
    const c = host.create(id, { bundle: host.script(script, change) });
    assert.equal(await c.created, 0);
    assert.deepEqual(host.run(['start', id]), SILENT);
    assert.equal(await c.exit, 0);
    assert.equal(c.text('stdout'), 'lo\n');
    host.run(['delete', id]);
  }
  ns.end();
});

// nerdctl and libnetwork work like this: the hook gets the state, and finds the namespace by its
// pid.
test('a namespace that a createRuntime hook configures', async () => {
  const script = `pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/') && ip link add hooked type veth peer name eth0 netns $pid
    ip link set hooked master br0 up
    nsenter -t $pid -n sh -c 'ip addr add 10.9.0.5/24 dev eth0; ip link set eth0 up; ip route add default via 10.9.0.1'`;
  const env = [`PATH=${process.env.PATH}`];
  const hook = { path: '/bin/sh', args: ['sh', '-ec', script], env };
  const bundle = host.script('read x; cat /proc/net/route', {
    ...linux(''),
    hooks: { createRuntime: [hook] },
  });
  const c = host.create('hooked', { bundle });
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', 'hooked']), SILENT);
  assert.ok(ping('10.9.0.5'));
  c.stdin.end('\n');
  assert.equal(await c.exit, 0);
  assert.match(c.text('stdout'), /^eth0\s+00000000\s+0100090A/m);
  assert.deepEqual(host.run(['delete', 'hooked']), SILENT);
  assert.doesNotMatch(dom0.sh('ip -o link'), /hooked/);
});

test('a bridge: an address of the pool, gone back at the end; one that is occupied', async () => {
  const annotations = {
    'org.openembedded.vxn.network-mode': 'bridge',
    'org.openembedded.vxn.network-bridge': 'br0',
    'org.openembedded.vxn.network-address': '10.9.0.40/24',
    'org.openembedded.vxn.network-gateway': '10.9.0.1',
  };
  const bundle = host.bundle({
    ...pinging('read x; busybox ping -c 1 10.9.0.1 >/dev/null && cat /proc/net/route'),
    annotations,
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  });
  const c = host.create('bridged', { bundle });
  assert.equal(await c.created, 0, c.text('stderr'));
  const d = host.create('second', { bundle });
  assert.equal(await d.created, 1);
  assert.match(d.text('stderr'), /address 10\.9\.0\.40 of br0 is in use by container bridged/);
  assert.deepEqual(await host.leftovers('second'), []);
  assert.deepEqual(host.run(['start', 'bridged']), SILENT);
  assert.ok(ping('10.9.0.40'));
  c.stdin.end('\n');
  assert.equal(await c.exit, 0);
  assert.match(c.text('stdout'), /^eth0\s+00000000\s+0100090A/m);
  assert.deepEqual(host.run(['delete', 'bridged']), SILENT);
  const e = host.create('third', { bundle });
  assert.equal(await e.created, 0, c.text('stderr'));
  host.run(['delete', '--force', 'third']);
  assert.ok(!dom0.sh('ip -o link').includes('vif'));
});

test('names are asked where the engine answers', async () => {
  const ns = await container('10.9.0.6/24');
  const file = join(host.folder, 'resolv.conf');
  writeFileSync(file, 'nameserver 127.0.0.11\noptions ndots:0\n');
  const mounts = [{ destination: '/etc/resolv.conf', source: file, type: 'bind', options: ['rbind'] }];
  const change = { mounts: [...(configJson().mounts as unknown[]), ...mounts], ...linux(ns.path) };
  const c = host.create('names', {
    bundle: host.script('busybox nslookup -type=a web; busybox nslookup -type=a nobody', change),
  });
  // A name server of the engine, in the namespace. It knows one name.
  const server = spawn('nsenter', [`--net=${ns.path}`, process.execPath, '-e', NAME_SERVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'names']), SILENT);
  await c.exit;
  server.kill();
  assert.match(c.text('stdout'), /Name:\s+web\nAddress: 10\.1\.2\.3/);
  assert.match(c.text('stdout'), /can't find nobody: NXDOMAIN/);
  host.run(['delete', 'names']);
  ns.end();
});

const NAME_SERVER = `
const s = require('node:dgram').createSocket('udp4');
s.on('message', (m, from) => {
  const known = m.includes('\\x03web\\0');
  const record = known ? Buffer.from('c00c000100010000003c00040a010203', 'hex') : Buffer.alloc(0);
  const answer = Buffer.concat([m, record]);
  answer.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  answer.writeUInt16BE(known ? 1 : 0, 6);
  s.send(answer, from.port, from.address);
});
s.bind(53, '127.0.0.11', () => console.log('ready'));`;

const BAD: [name: string, prepare: string, path: string | undefined, text: RegExp][] = [
  ['a path that is no namespace', '', '/etc/passwd', /network namespace.*Invalid argument/],
  ['a path that is not there', '', '/run/netns/nosuch', /network namespace.*No such file/],
  [
    'an interface that is no Ethernet',
    'ip tuntap add tun0 mode tun; ip link set tun0 up',
    undefined,
    /interface tun0 of the network namespace is no Ethernet interface/,
  ],
  [
    'an interface upon another one',
    'ip link add mac0 link eth0 type macvlan; ip link set mac0 up',
    undefined,
    /interface mac0 lies upon another one/,
  ],
];
for (const [i, [name, prepare, path, text]] of BAD.entries()) {
  test(`refused: ${name}`, async () => {
    const ns = await container(`10.9.0.${100 + i}/24`, prepare);
    const before = traces(ns);
    const c = host.create(`bad${i}`, { bundle: host.script('true', linux(path ?? ns.path)) });
    const created = await c.created;
    const said =
      created === 0 ? host.run(['start', `bad${i}`]) : { status: created, stderr: c.text('stderr') };
    assert.equal(said.status, 1);
    assert.match(said.stderr, text);
    assert.equal(said.stderr.trim().split('\n').length, 1);
    host.run(['delete', '--force', `bad${i}`]);
    assert.deepEqual(await host.leftovers(`bad${i}`), []);
    assert.equal(traces(ns), before);
    ns.end();
  });
}

test('two containers in one namespace with an interface: the second is refused', async () => {
  const ns = await container('10.9.0.7/24');
  const [a, b] = ['first', 'other'].map((id) =>
    host.create(id, { bundle: host.script('sleep 60', linux(ns.path)) }),
  );
  assert.deepEqual([await a?.created, await b?.created], [0, 0]);
  assert.deepEqual(host.run(['start', 'first']), SILENT);
  const said = host.run(['start', 'other']);
  assert.match(said.stderr, /interface eth0 of the network namespace belongs to another virtual machine/);
  assert.ok(ping('10.9.0.7'));
  for (const id of ['other', 'first']) host.run(['delete', '--force', id]);
  assert.doesNotMatch(ns.sh('tc qdisc show dev eth0'), /ingress/);
  ns.end();
});

test('after a monitor that was killed the next one takes the interface over', async () => {
  const ns = await container('10.9.0.8/24');
  const c = host.create('lost', { bundle: host.script('sleep 60', linux(ns.path)) });
  assert.equal(await c.created, 0);
  assert.deepEqual(host.run(['start', 'lost']), SILENT);
  const state = JSON.parse(host.run(['state', 'lost']).stdout) as { pid: number };
  process.kill(state.pid, 'SIGKILL');
  assert.equal(await c.exit, 137);
  host.run(['delete', 'lost']);
  const d = host.create('next', { bundle: host.script('sleep 60', linux(ns.path)) });
  assert.equal(await d.created, 0);
  assert.deepEqual(host.run(['start', 'next']), SILENT);
  assert.ok(ping('10.9.0.8'));
  host.run(['delete', '--force', 'next']);
  assert.doesNotMatch(ns.sh('tc qdisc show dev eth0'), /ingress/);
  ns.end();
});
