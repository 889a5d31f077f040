// SPDX-License-Identifier: MIT
// The guest's network as the namespace says: packets of every kind and size, CNI, bridges, twenty at once, and what goes wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Lab } from '../../lab/lab.ts';
import { assertClean, dom0, dom0Sh, mustSh, removeTask, waitFor } from './dom0.ts';

// The program of containers that serve: what comes in at port 5000 is answered by its MD5, port 5001 gives the file /r, and 5002
// echoes UDP.
const SERVE = `
head -c 67108864 /dev/urandom >/r; md5sum </r | cut -c1-32
nc -ll -p 5000 -e /bin/md5sum &
nc -ll -p 5001 -e /bin/cat /r &
exec /udp echo 5002`;
const UDP = '/var/tmp/vxn-test/udp';
const MOUNT = `--mount type=bind,src=${UDP},dst=/udp,options=rbind:ro`;
const SMALL = '--annotation org.openembedded.vxn.memory=96';

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

before(async () => {
  lab = await dom0();
  await pushUdp();
});

after(async () => {
  await assertClean();
  assert.equal(
    await mustSh(
      "ip netns list; ip -o link | grep -E 'br9|xenbr0|cni' || true; iptables-save | grep -i cni || true",
    ),
    '',
  );
});

test('packets of every kind and size, both ways, by two interfaces; the namespace is left as it was', async () => {
  // eth0 has jumbo frames and ends in a bridge of Dom0; eth1 has small ones and its other end computes every checksum itself.
  await mustSh(`
    ip netns add c1 && ip -n c1 link set lo up
    ip link add name br9 type bridge && ip link set br9 mtu 9000 up && ip addr add 10.9.0.1/24 dev br9 && ip -6 addr add fd09::1/64 dev br9 nodad
    ip link add name h0 mtu 9000 type veth peer name eth0 mtu 9000 netns c1 && ip link set h0 master br9 up
    ip link add name h1 mtu 1400 type veth peer name eth1 mtu 1400 netns c1 && ip addr add 10.8.0.1/24 dev h1 && ip link set h1 up
    ethtool -K h1 tx off gso off tso off gro off >/dev/null
    ip -n c1 addr add 10.9.0.2/24 dev eth0 && ip -n c1 -6 addr add fd09::2/64 dev eth0 nodad && ip -n c1 link set eth0 up
    ip -n c1 addr add 10.8.0.2/24 dev eth1 && ip -n c1 link set eth1 up && ip -n c1 route add default via 10.9.0.1
    ip -n c1 -o link; ip -n c1 -o addr | grep -v tentative; ip -n c1 route`);
  const before = await mustSh('sleep 2; ip -n c1 -o link; ip -n c1 -o addr; ip -n c1 route; tc -n c1 qdisc');
  await mustSh(`vctr run -d ${MOUNT} --with-ns network:/run/netns/c1 $IMAGE packets /bin/sh -c '${SERVE}'`);
  await waitFor('vxn-oci-runtime --root $ROOT logs packets | grep -q listening');
  const [md5 = ''] = (await mustSh('vxn-oci-runtime --root $ROOT logs packets')).split('\n');
  await mustSh('ping -c 3 -i 0.2 10.9.0.2 && ping -c 2 -i 0.2 fd09::2 && ping -c 3 -i 0.2 10.8.0.2');
  await mustSh('ping -c 2 -i 0.2 -M do -s 8972 10.9.0.2 && ping -c 2 -i 0.2 -M do -s 1372 10.8.0.2');
  assert.notEqual((await dom0Sh('ping -c 1 -W 2 -M do -s 1373 10.8.0.2')).status, 0);
  for (const [address, size] of [
    ['10.9.0.2', 67108864],
    ['10.8.0.2', 67108864],
  ] as const) {
    const [sum, echoed] = (
      await mustSh(`head -c ${size} /dev/urandom >/var/tmp/vxn-test/r; md5sum </var/tmp/vxn-test/r | cut -c1-32
        busybox nc ${address} 5000 </var/tmp/vxn-test/r | cut -c1-32`)
    ).split('\n');
    assert.equal(echoed, sum, `to the guest at ${address}`);
    assert.equal((await mustSh(`busybox nc ${address} 5001 </dev/null | md5sum | cut -c1-32`)).trim(), md5);
    // One that fits, and one in fragments.
    for (const bytes of [1000, 20000])
      assert.equal(await mustSh(`${UDP} ask ${address} 5002 ${bytes} 10`), '10\n');
  }
  const { stdout } = await dom0Sh(
    "nstat -az TcpInCsumErrors UdpInCsumErrors | awk '/CsumErrors/ { print $2 }'",
  );
  assert.equal(stdout, '0\n0\n');
  await mustSh('ctr task kill -s KILL packets');
  assert.equal(await removeTask('packets'), 137);
  const left = await mustSh('ip -n c1 -o link; ip -n c1 -o addr; ip -n c1 route; tc -n c1 qdisc');
  assert.equal(left, before);
  await assertClean();
});

test('bad input: one clear error, nothing left', async () => {
  const run = (flags: string, id: string) => dom0Sh(`vctr run --rm ${flags} $IMAGE ${id} /bin/true`);
  const none = await run('--with-ns network:/etc/passwd', 'bad1');
  assert.notEqual(none.status, 0);
  assert.match(none.stderr, /network namespace.*Invalid argument/);
  const host = await run('--net-host', 'bad2');
  assert.match(host.stderr, /host's network namespace cannot be shared/);
  // Dom0 without traffic control's redirect.
  await mustSh(`echo 'install act_mirred /bin/false' >/etc/modprobe.d/vxn-test.conf
    rmmod cls_matchall cls_u32 act_mirred 2>/dev/null; ! grep -q ^act_mirred /proc/modules`);
  const module = await run('--with-ns network:/run/netns/c1', 'bad3');
  await mustSh('rm /etc/modprobe.d/vxn-test.conf; modprobe act_mirred; modprobe cls_matchall');
  assert.match(module.stderr, /cannot join the virtual machine to eth0: .*Dom0's kernel needs sch_ingress/);
  assert.equal((await mustSh('tc -n c1 qdisc')).includes('ingress'), false);
  await assertClean();
});

test('the monitor is killed; the namespace goes first; a change while it runs is followed', async () => {
  await mustSh(`vctr run -d ${SMALL} --with-ns network:/run/netns/c1 $IMAGE lost /bin/sleep 600`);
  await mustSh('ip -n c1 addr add 10.9.0.22/24 dev eth0');
  await waitFor('ping -c 1 -W 1 10.9.0.22 >/dev/null', 20);
  await mustSh(`ip link add name h2 type veth peer name eth2 netns c1 && ip addr add 10.7.0.1/24 dev h2 && ip link set h2 up
    ip -n c1 addr add 10.7.0.2/24 dev eth2 && ip -n c1 link set eth2 up`);
  await waitFor('ping -c 1 -W 1 10.7.0.2 >/dev/null', 30);
  await mustSh('ip link del h2');
  await waitFor('! ip -n c1 -o link | grep -q "vif[0-9]*.2"', 30);
  await mustSh('ping -c 1 -W 2 10.9.0.2');
  await mustSh('kill -9 "$(ctr task ls | awk \'$1 == "lost" { print $2 }\')"');
  assert.equal(await removeTask('lost'), 137);
  assert.equal((await mustSh('tc -n c1 qdisc')).includes('ingress'), false);
  await assertClean();

  await mustSh(`vctr run -d ${SMALL} --with-ns network:/run/netns/c1 $IMAGE orphan /bin/sleep 600`);
  await mustSh(
    'ip netns del c1 && ip link del br9 && ip link del h0; ip link del h1; ctr task kill -s KILL orphan',
  );
  assert.equal(await removeTask('orphan'), 137);
  await assertClean();
});

test('ctr run --cni: bridge, portmap and firewall of containernetworking-plugins', async () => {
  await mustSh(`mkdir -p /etc/cni/net.d /opt/cni && ln -sfn /usr/lib/cni /opt/cni/bin
    cat >/etc/cni/net.d/10-vxn.conflist <<'END'
    { "cniVersion": "0.4.0", "name": "vxn", "plugins": [
      { "type": "bridge", "bridge": "cni9", "isGateway": true, "ipMasq": true, "promiscMode": false,
        "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.9.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
      { "type": "portmap", "capabilities": { "portMappings": true } }, { "type": "firewall" } ] }
END`);
  await mustSh(
    `vctr run -d --cni ${SMALL} $IMAGE cni /bin/sh -c 'ip -o -4 addr show eth0; ip route; mkdir /www; echo served >/www/index.html; httpd -h /www; exec sleep 600'`,
  );
  await waitFor('vxn-oci-runtime --root $ROOT logs cni | grep -q default');
  const [, address = ''] =
    /inet (10\.88\.9\.\d+)\//.exec(await mustSh('vxn-oci-runtime --root $ROOT logs cni')) ?? [];
  assert.equal(
    (await mustSh(`wget -qO- http://${address}/ || busybox wget -qO- http://${address}/`)).trim(),
    'served',
  );
  // From one container to another, by the bridge.
  const other = await mustSh(`vctr run --rm --cni ${SMALL} $IMAGE cni2 /bin/wget -qO- http://${address}/`);
  assert.equal(other.trim(), 'served');
  await mustSh('ctr task kill -s KILL cni');
  assert.equal(await removeTask('cni'), 137);
  await mustSh(
    `CNI_COMMAND=DEL true; rm -rf /etc/cni/net.d/10-vxn.conflist; ip link del cni9; rm -rf /var/lib/cni/networks/vxn`,
  );
  assert.equal(await mustSh("iptables-save | grep -c '10.88.9' || true"), '0\n');
});

test('twenty at once on one network, all reachable, nothing left', async () => {
  await mustSh(`
    ip link add name br9 type bridge && ip link set br9 up && ip addr add 10.9.0.1/24 dev br9
    for i in $(seq 20); do
      ip netns add n$i && ip -n n$i link set lo up
      ip link add name h$i type veth peer name eth0 netns n$i && ip link set h$i master br9 up
      ip -n n$i addr add 10.9.0.$((i + 100))/24 dev eth0 && ip -n n$i link set eth0 up && ip -n n$i route add default via 10.9.0.1
    done`);
  const out = await mustSh(
    `for i in $(seq 20); do
      vctr run -d ${SMALL} --with-ns network:/run/netns/n$i $IMAGE crowd$i /bin/sh -c "ping -c 1 -W 60 10.9.0.1 >/dev/null && echo out; exec sleep 900" >/dev/null &
    done; wait
    for i in $(seq 20); do ping -c 1 -W 5 10.9.0.$((i + 100)) >/dev/null && echo in; done
    for i in $(seq 20); do vxn-oci-runtime --root $ROOT logs crowd$i; done
    for i in $(seq 20); do ctr task kill -s KILL crowd$i; done
    for i in $(seq 20); do until ctr task ls | grep -qE "^crowd$i .*STOPPED"; do sleep 0.2; done; ctr task rm crowd$i 2>/dev/null; ctr c rm crowd$i; done
    for i in $(seq 20); do tc -n n$i qdisc | grep ingress; ip netns del n$i; done; ip link del br9`,
    { timeoutMs: 480_000 },
  );
  assert.deepEqual(out.split('\n').filter((l) => l === 'in').length, 20, out);
  assert.deepEqual(out.split('\n').filter((l) => l === 'out').length, 20, out);
  await assertClean();
});

test('bridge mode: a pool, one address asked for, an occupied one, DHCP', async () => {
  await mustSh(`
    cp /etc/vxn/vxn.yaml /tmp/vxn.yaml
    printf 'bridgeAddresses: 10.6.0.10-10.6.0.11/24\\nbridgeGateway: 10.6.0.1\\nannotations: [memory, network-*]\\n' >>/etc/vxn/vxn.yaml
    ip link add name xenbr0 type bridge && ip link set xenbr0 up && ip addr add 10.6.0.1/24 dev xenbr0`);
  const flag = (name: string, value: string): string =>
    `--annotation org.openembedded.vxn.network-${name}=${value}`;
  const bridge = `${SMALL} ${flag('mode', 'bridge')}`;
  try {
    await mustSh(
      `vctr run -d ${bridge} $IMAGE pool /bin/sh -c 'ip -o -4 addr show eth0; ip route; exec sleep 600'`,
    );
    await waitFor('ping -c 1 -W 1 10.6.0.10 >/dev/null', 30);
    assert.match(await mustSh('vxn-oci-runtime --root $ROOT logs pool'), /default via 10\.6\.0\.1 dev eth0/);
    const taken = await dom0Sh(
      `vctr run --rm ${bridge} ${flag('address', '10.6.0.10/24')} $IMAGE taken /bin/true`,
    );
    assert.match(taken.stderr, /address 10\.6\.0\.10 of xenbr0 is in use by container pool/);
    await mustSh('ctr task kill -s KILL pool');
    assert.equal(await removeTask('pool'), 137);
    await mustSh(`cd /tmp; printf 'start 10.6.0.50\\nend 10.6.0.60\\ninterface xenbr0\\nlease_file /tmp/udhcpd.leases\\npidfile /tmp/udhcpd.pid\\noption subnet 255.255.255.0\\noption router 10.6.0.1\\n' >udhcpd.conf
      touch udhcpd.leases; busybox udhcpd -I 10.6.0.1 udhcpd.conf`);
    const dhcp = await mustSh(
      `vctr run --rm ${bridge} ${flag('address', 'dhcp')} $IMAGE dhcp /bin/sh -c 'ip -o -4 addr show eth0; ip route; ping -c 1 -W 5 10.6.0.1'`,
    );
    assert.match(
      dhcp,
      /inet 10\.6\.0\.5\d\/24[\s\S]*default via 10\.6\.0\.1 dev eth0[\s\S]* 1 packets received/,
    );
    const nowhere = await dom0Sh(
      `vctr run --rm ${bridge} ${flag('bridge', 'nosuch')} $IMAGE nowhere /bin/true`,
    );
    assert.match(nowhere.stderr, /there is no bridge nosuch in Dom0/);
  } finally {
    await dom0Sh('mv /tmp/vxn.yaml /etc/vxn/vxn.yaml; kill $(cat /tmp/udhcpd.pid); ip link del xenbr0');
  }
  await assertClean();
});
