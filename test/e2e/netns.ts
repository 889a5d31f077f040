// SPDX-License-Identifier: MIT
// Network namespaces in Dom0 as engines make them, and the end of all that the network tests make.
import { REMOVE } from './dom0.ts';

/** Annotations of a small container. */
export const SMALL = '--annotation org.openembedded.vxn.memory=96';

/** Makes the bridge br9, which namespaces are joined to. */
export const BRIDGE = `
ip link add name br9 type bridge && ip link set br9 mtu 9000 up
ip addr add 10.9.0.1/24 dev br9 && ip -6 addr add fd09::1/64 dev br9 nodad
`;

/** `netns NS N`, an engine's interface: NS has eth0 with 10.9.0.N and the default route, and its other end is on br9. */
export const NETNS = `
netns() {
  ip netns add $1 && ip -n $1 link set lo up
  ip link add name h$1 mtu 9000 type veth peer name eth0 mtu 9000 netns $1 && ip link set h$1 master br9 up
  ip -n $1 addr add 10.9.0.$2/24 dev eth0 && ip -n $1 link set eth0 up && ip -n $1 route add default via 10.9.0.1
}
`;

/** ctr's flag for a container in a namespace. */
export const inside = (netns: string): string => `--with-ns network:/run/netns/${netns}`;

/** Removes what any of these tests makes in Dom0, so that one that fails leaves nothing to the next. */
export const SWEEP = `${REMOVE}
for id in $(ctr task ls -q); do ctr task kill -s KILL $id; done
for id in $(ctr task ls -q); do remove $id; done
for ns in $(ip netns list | cut -d' ' -f1); do ip netns del $ns; done
for link in br9 h0 h1 h2 h3 cni9 xenbr0; do ip link del $link; done
[ ! -e /tmp/vxn.yaml ] || mv /tmp/vxn.yaml /etc/vxn/vxn.yaml
[ ! -e /tmp/udhcpd.pid ] || kill $(cat /tmp/udhcpd.pid)
rm -rf /etc/modprobe.d/vxn-test.conf /etc/cni/net.d/10-vxn.conflist /var/lib/cni/networks/vxn /tmp/udhcpd.*
modprobe act_mirred; modprobe cls_matchall; true`;
