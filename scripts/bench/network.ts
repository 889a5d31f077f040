// SPDX-License-Identifier: MIT
// The cost of the network in the lab, at start, in throughput and in round-trip time. The
// comparison is a plain vif of the same domain on a bridge. Xen gives such a vif when there is no
// namespace between.
import { deploy } from '../../lab/deploy.ts';
import { ensureLab, type Lab } from '../../lab/lab.ts';
import { goal, say, seconds, sh } from './dom0.ts';
import { median } from './measure.ts';

const ROUNDS = 5;
const MIB = 64;

// A namespace whose eth0 ends in br9, as engines make it. br8 is for the plain vif.
const SET_UP = `
ip netns add bench && ip -n bench link set lo up
for b in 8 9; do ip link add name br$b type bridge && ip link set br$b up && ip addr add 10.$b.0.1/24 dev br$b; done
ip link add name h9 type veth peer name eth0 netns bench && ip link set h9 master br9 up
ip -n bench addr add 10.9.0.2/24 dev eth0 && ip -n bench link set eth0 up && ip -n bench route add default via 10.9.0.1`;
const TEAR_DOWN = 'ip netns del bench; ip link del br8; ip link del br9; ip link del h9; true';

async function benchStart(lab: Lab): Promise<void> {
  say(`\nvctr run --rm IMAGE ID /bin/true, ${ROUNDS} rounds in turn with and without an interface`);
  const [bare, net]: [number[], number[]] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    bare.push(await seconds(lab, `vctr run --rm $IMAGE bare${i} /bin/true`));
    net.push(await seconds(lab, `vctr run --rm --with-ns network:/run/netns/bench $IMAGE net${i} /bin/true`));
  }
  say(`  without ${median(bare).toFixed(2)} s, with ${median(net).toFixed(2)} s`);
  goal('an interface adds to the whole run (ratio)', median(net) / median(bare) - 1, '', 0.15);
}

// The guest serves on both interfaces. It sets up the plain one itself, because the namespace has
// no settings for it.
const GUEST = `
until ip link show eth1 >/dev/null 2>&1; do usleep 100000; done
ip addr add 10.8.0.2/24 dev eth1; ip link set eth1 up
nc -ll -p 5000 -e /bin/dd of=/dev/null bs=64k &
nc -ll -p 5001 -e /bin/dd if=/dev/zero bs=64k count=${MIB * 16} &
echo ready; exec sleep 3600`;

interface Figures {
  into: number[];
  out: number[];
  rtt: number[];
}

async function measure(lab: Lab, address: string, into: Figures): Promise<void> {
  const source = `dd if=/dev/zero bs=64k count=${MIB * 16} 2>/dev/null`;
  into.into.push(MIB / (await seconds(lab, `sh -c '${source} | busybox nc ${address} 5000'`)));
  into.out.push(
    MIB / (await seconds(lab, `sh -c 'busybox nc ${address} 5001 </dev/null | dd of=/dev/null bs=64k'`)),
  );
  const ping = await sh(lab, `ping -q -c 200 -i 0.01 ${address}`);
  into.rtt.push(Number(/= [\d.]+\/([\d.]+)\//.exec(ping)?.[1]));
}

async function benchWire(lab: Lab): Promise<void> {
  say(
    `\nTCP of ${MIB} MiB and 200 pings, ${ROUNDS} rounds in turn with a plain bridged vif of the same domain`,
  );
  const caps = '--cap-add CAP_NET_ADMIN';
  await sh(lab, `vctr run -d ${caps} --with-ns network:/run/netns/bench $IMAGE wire /bin/sh -c '${GUEST}'`);
  try {
    await sh(
      lab,
      `xl network-attach "$(xl list | awk '/^vxn-wire/ { print $2 }')" bridge=br8 script=/etc/xen/scripts/vif-bridge mac=00:16:3e:00:00:08`,
    );
    await sh(
      lab,
      'until vxn-oci-runtime --root $ROOT logs wire | grep -q ready; do sleep 0.2; done; ping -c 3 -i 0.2 10.8.0.2; ping -c 3 -i 0.2 10.9.0.2',
    );
    const figures = (): Figures => ({ into: [], out: [], rtt: [] });
    const [plain, ours] = [figures(), figures()];
    for (let i = 0; i < ROUNDS; i++) {
      await measure(lab, '10.8.0.2', plain);
      await measure(lab, '10.9.0.2', ours);
    }
    const shown = (f: Figures): string =>
      `${median(f.into).toFixed(1)} MiB/s in, ${median(f.out).toFixed(1)} MiB/s out, ${median(f.rtt).toFixed(3)} ms`;
    say(`  plain vif: ${shown(plain)}; through the namespace: ${shown(ours)}`);
    goal(
      'throughput into the guest, ratio to the plain vif',
      median(ours.into) / median(plain.into),
      '',
      0.8,
      false,
    );
    goal(
      'throughput out of the guest, ratio to the plain vif',
      median(ours.out) / median(plain.out),
      '',
      0.8,
      false,
    );
    goal('round-trip time, ratio to the plain vif', median(ours.rtt) / median(plain.rtt), '', 1.3);
  } finally {
    await sh(
      lab,
      "ctr task kill -s KILL wire; until ctr task ls | grep -q 'wire .*STOPPED'; do sleep 0.2; done; ctr task rm wire; ctr c rm wire",
    );
  }
}

/** Boots the lab if necessary, and measures the network in it. */
export async function benchNetwork(): Promise<void> {
  const lab = await ensureLab({ report: say });
  await deploy(lab, say);
  await sh(lab, SET_UP);
  try {
    await benchStart(lab);
    await benchWire(lab);
  } finally {
    await sh(lab, TEAR_DOWN);
  }
}
