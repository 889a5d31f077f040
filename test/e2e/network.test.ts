// SPDX-License-Identifier: MIT
// The guest's network as the namespace says: packets of every kind and size, CNI, bridges, and what goes wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { crowd } from './crowd.ts';
import { assertClean, dom0, dom0Sh, mustSh, removeTask, startsClean, waitFor } from './dom0.ts';
import { BRIDGE, inside, NETNS, SMALL, SWEEP } from './netns.ts';

// Files of 8 and of 64 MiB: random bytes, since the machine is emulated, only once.
const FILES = `
head -c 8388608 /dev/urandom >small; for i in 1 2 3 4 5 6 7 8; do echo $i; cat small; done >large
for file in small large; do md5sum <$file | cut -c1-32; done`;
// The program of a container that serves: what comes in at port 5000 is answered by its MD5, 5001 and 5002 give the files, and
// 5003 echoes UDP.
const SERVE = `
cd /; ${FILES}
nc -ll -p 5000 -e /bin/md5sum &
nc -ll -p 5001 -e /bin/cat /small &
nc -ll -p 5002 -e /bin/cat /large &
exec /udp echo 5003`;
const UDP = '/var/tmp/vxn-test/udp';
const MOUNT = `--mount type=bind,src=${UDP},dst=/udp,options=rbind:ro`;

let lab: Lab;

/** Pushes the UDP tool, static, for Dom0 and for containers. */
async function pushUdp(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vxn-udp-'));
  const built = path.join(folder, 'udp');
  try {
    execFileSync('gcc', ['-O1', '-static', '-o', built, path.join(import.meta.dirname, 'udp.c')]);
    await lab.push(built, UDP);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

startsClean();
before(async () => {
  lab = await dom0();
  await pushUdp();
  await mustSh(BRIDGE);
});

after(async () => {
  await mustSh(SWEEP);
  await assertClean();
});

const LOGS = 'vxn-oci-runtime --root $ROOT logs';

suite('two at a time', { concurrency: 2 }, () => {
  test('packets of every kind and size, both ways, by two interfaces; the namespace is left as it was', async () => {
    // eth0 has jumbo frames and ends in a bridge of Dom0; eth1 has small ones and its other end computes every checksum itself; eth2
    // has no address. There are two default routes.
    await mustSh(`${NETNS} netns c1 2 && ip -n c1 -6 addr add fd09::2/64 dev eth0 nodad
    ip link add name h1 mtu 1400 type veth peer name eth1 mtu 1400 netns c1 && ip addr add 10.8.0.1/24 dev h1 && ip link set h1 up
    ethtool -K h1 tx off gso off tso off gro off >/dev/null
    ip -n c1 addr add 10.8.0.2/24 dev eth1 && ip -n c1 link set eth1 up && ip -n c1 route add default via 10.8.0.1 metric 50
    ip link add name h3 type veth peer name eth2 netns c1 && ip link set h3 up && ip -n c1 link set eth2 up`);
    await waitFor('! ip -n c1 addr | grep -q tentative');
    const look = 'ip -n c1 -o link; ip -n c1 -o addr; ip -n c1 route; tc -n c1 qdisc';
    const before = await mustSh(look);
    await mustSh(
      `vctr run -d ${MOUNT} ${inside('c1')} $IMAGE packets /bin/sh -c 'ip route; ip -o link; echo; ${SERVE}'`,
    );
    await waitFor(`${LOGS} packets | grep -q listening`);
    const [seen = '', served = ''] = (await mustSh(`${LOGS} packets`)).split('\n\n');
    for (const route of ['default via 10.9.0.1 dev eth0', 'default via 10.8.0.1 dev eth1  metric 50'])
      assert.ok(seen.includes(route), seen);
    for (const mtu of [/eth0: .* mtu 9000 /, /eth1: .* mtu 1400 /, /eth2: .* mtu 1500 /])
      assert.match(seen, mtu);
    const [small = '', large = ''] = served.split('\n');
    await mustSh(`ping -c 3 -i 0.2 10.9.0.2 && ping -c 2 -i 0.2 fd09::2 && ping -c 3 -i 0.2 10.8.0.2
    ping -c 2 -i 0.2 -M do -s 8972 10.9.0.2 && ping -c 2 -i 0.2 -M do -s 1372 10.8.0.2
    ! ping -c 1 -W 2 -M do -s 1373 10.8.0.2`);
    const sums = (await mustSh(`cd /var/tmp/vxn-test; ${FILES}`)).split('\n');
    for (const [address, file, sum, port, served] of [
      ['10.9.0.2', 'large', sums[1], 5002, large],
      ['10.8.0.2', 'small', sums[0], 5001, small],
    ]) {
      const [to, from] = (
        await mustSh(`busybox nc ${address} 5000 </var/tmp/vxn-test/${file} | cut -c1-32
        busybox nc ${address} ${port} </dev/null | md5sum | cut -c1-32`)
      ).split('\n');
      assert.deepEqual([to, from], [sum, served], `at ${address}`);
      // One that fits, and one in fragments.
      const udp = `${UDP} ask ${address} 5003`;
      assert.equal(await mustSh(`${udp} 1000 10; ${udp} 20000 10`), '10\n10\n');
    }
    const { stdout } = await dom0Sh(
      "nstat -az TcpInCsumErrors UdpInCsumErrors | awk '/CsumErrors/ { print $2 }'",
    );
    assert.equal(stdout, '0\n0\n');
    await mustSh('ctr task kill -s KILL packets');
    assert.equal(await removeTask('packets'), 137);
    assert.equal(await mustSh(look), before);
    await mustSh('ip netns del c1');
  });

  test('a change is followed; the monitor is killed; the namespace goes first', async () => {
    await mustSh(`${NETNS} netns c3 4; netns c4 5
    vctr run -d ${SMALL} ${inside('c3')} $IMAGE lost /bin/sleep 600 &
    vctr run -d ${SMALL} ${inside('c4')} $IMAGE orphan /bin/sleep 600; wait $!
    ip -n c3 addr add 10.9.0.22/24 dev eth0
    ip link add name h2 type veth peer name eth2 netns c3 && ip addr add 10.7.0.1/24 dev h2 && ip link set h2 up
    ip -n c3 addr add 10.7.0.2/24 dev eth2 && ip -n c3 link set eth2 up`);
    await waitFor('ping -c 1 -W 1 10.9.0.22 >/dev/null && ping -c 1 -W 1 10.7.0.2 >/dev/null', 30);
    await mustSh('ip link del h2');
    await waitFor("! ip -n c3 -o link | grep -q 'vif[0-9]*.1:'", 30);
    await mustSh(`ping -c 1 -W 2 10.9.0.4
    kill -9 "$(ctr task ls | awk '$1 == "lost" { print $2 }')"
    ip netns del c4; ctr task kill -s KILL orphan`);
    assert.equal(await removeTask('lost'), 137);
    assert.equal(await removeTask('orphan'), 137);
    assert.equal((await mustSh('tc -n c3 qdisc; ip netns del c3')).includes('ingress'), false);
  });

  // Without ipMasq, whose rules ctr leaves with any runtime: it takes the network back without saying whose namespace it was.
  test('ctr run --cni: bridge, portmap and firewall of containernetworking-plugins', async () => {
    await mustSh(`mkdir -p /etc/cni/net.d /opt/cni && ln -sfn /usr/lib/cni /opt/cni/bin
    cat >/etc/cni/net.d/10-vxn.conflist <<'END'
    { "cniVersion": "0.4.0", "name": "vxn", "plugins": [
      { "type": "bridge", "bridge": "cni9", "isGateway": true,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.9.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
      { "type": "portmap", "capabilities": { "portMappings": true } }, { "type": "firewall" } ] }
END`);
    const rules = "iptables-save | grep -cE '10[.]88[.]9' || true";
    const program =
      'ip -o -4 addr show eth0; mkdir /www; echo served >/www/index.html; httpd -h /www; ip route; exec sleep 600';
    // ctr takes its network back when it has not detached.
    const first = mustSh(`vctr run --rm --cni ${SMALL} $IMAGE cni /bin/sh -c '${program}' || true`);
    await waitFor(`${LOGS} cni 2>/dev/null | grep -q default`);
    const [, address = ''] = /inet (10\.88\.9\.\d+)\//.exec(await mustSh(`${LOGS} cni`)) ?? [];
    assert.equal(await mustSh(`busybox wget -qO- http://${address}/`), 'served\n');
    assert.notEqual(await mustSh(rules), '0\n');
    // From one container to another, by the bridge.
    assert.equal(
      await mustSh(`vctr run --rm --cni ${SMALL} $IMAGE cni2 /bin/wget -qO- http://${address}/`),
      'served\n',
    );
    await mustSh('ctr task kill -s KILL cni');
    assert.match(await first, /default via 10\.88\.9\.1 dev eth0/);
    assert.equal(await mustSh(rules), '0\n');
    assert.equal(await mustSh("ls /var/lib/cni/networks/vxn | grep -c '^10' || true"), '0\n');
  });

  test('bridge mode: a pool, one address asked for, an occupied one, DHCP', async () => {
    await mustSh(`
    cp /etc/vxn/vxn.yaml /tmp/vxn.yaml
    printf 'bridgeAddresses: 10.6.0.10-10.6.0.11/24\nbridgeGateway: 10.6.0.1\n' >>/etc/vxn/vxn.yaml
    ip link add name xenbr0 type bridge && ip link set xenbr0 up && ip addr add 10.6.0.1/24 dev xenbr0
    printf 'start 10.6.0.50\nend 10.6.0.60\ninterface xenbr0\nlease_file /tmp/udhcpd.leases\npidfile /tmp/udhcpd.pid\noption subnet 255.255.255.0\noption router 10.6.0.1\n' >/tmp/udhcpd.conf
    touch /tmp/udhcpd.leases; busybox udhcpd -I 10.6.0.1 /tmp/udhcpd.conf`);
    const flag = (name: string, value: string): string =>
      `--annotation org.openembedded.vxn.network-${name}=${value}`;
    const bridge = `${SMALL} ${flag('mode', 'bridge')}`;
    const show = 'ip -o -4 addr show eth0; ip route; ping -c 1 -W 5 10.6.0.1';
    const [, dhcp, nowhere] = await Promise.all([
      mustSh(`vctr run -d ${bridge} $IMAGE pool /bin/sh -c 'ip route; exec sleep 600'`),
      mustSh(`vctr run --rm ${bridge} ${flag('address', 'dhcp')} $IMAGE dhcp /bin/sh -c '${show}'`),
      dom0Sh(
        `vctr run --rm ${bridge} ${flag('bridge', 'nosuch')} ${flag('address', 'dhcp')} $IMAGE nowhere /bin/true`,
      ),
    ]);
    await waitFor('ping -c 1 -W 1 10.6.0.10 >/dev/null', 30);
    assert.match(await mustSh(`${LOGS} pool`), /default via 10\.6\.0\.1 dev eth0/);
    assert.match(
      dhcp,
      /inet 10\.6\.0\.5\d\/24[\s\S]*default via 10\.6\.0\.1 dev eth0[\s\S]* 1 packets received/,
    );
    assert.match(nowhere.stderr, /there is no bridge nosuch in Dom0/);
    const taken = await dom0Sh(
      `vctr run --rm ${bridge} ${flag('address', '10.6.0.10/24')} $IMAGE taken /bin/true`,
    );
    assert.match(taken.stderr, /address 10\.6\.0\.10 of xenbr0 is in use by container pool/);
    await mustSh('ctr task kill -s KILL pool');
    assert.equal(await removeTask('pool'), 137);
  });
});

// Twenty of them are in long/crowd.test.ts.
test('four at once on one network: all reachable, each its output and status, nothing left', () => crowd(4));

// Alone: it takes modules from Dom0's kernel.
test('bad input: one clear error, nothing left', async () => {
  const run = (flags: string, id: string) => dom0Sh(`vctr run --rm ${flags} $IMAGE ${id} /bin/true`);
  await mustSh(`${NETNS} netns c2 3
    echo 'install act_mirred /bin/false' >/etc/modprobe.d/vxn-test.conf
    rmmod cls_matchall cls_u32 act_mirred 2>/dev/null; ! grep -q ^act_mirred /proc/modules`);
  const [none, host, module] = await Promise.all([
    run('--with-ns network:/etc/passwd', 'bad1'),
    run('--net-host', 'bad2'),
    // Dom0 without traffic control's redirect.
    run(inside('c2'), 'bad3'),
  ]);
  await mustSh('rm /etc/modprobe.d/vxn-test.conf; modprobe act_mirred; modprobe cls_matchall');
  for (const [said, text] of [
    [none, /network namespace.*Invalid argument/],
    [host, /host's network namespace cannot be shared/],
    [module, /cannot join the virtual machine to eth0: .*Dom0's kernel needs sch_ingress/],
  ] as const) {
    assert.notEqual(said.status, 0);
    assert.match(said.stderr, text);
    assert.equal(said.stderr.trim().split('\n').length, 1, said.stderr);
  }
  assert.equal((await mustSh('tc -n c2 qdisc; ip netns del c2')).includes('ingress'), false);
  await assertClean();
});
