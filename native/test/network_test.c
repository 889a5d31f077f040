// SPDX-License-Identifier: MIT
// The network's two ends, what a namespace says and what the agent makes of it, and the bytes between them. Needs root and
// ip(8); everything happens in namespaces of its own.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/redirect.h"
#include "../monitor/domain/netns.h"
#include "../monitor/domain/network_request.h"
#include "../monitor/xen/vif.h"
#include "../monitor/domain/wire.h"
#include "container.h"
#include "dhcp.h"
#include "network_records.h"

// ---- Helpers

// Runs a command in the test's own namespace. Its output, at most one page, until the next call.
__attribute__((format(printf, 1, 2))) static const char *sh(const char *fmt, ...) {
  static char command[2048], text[8192];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(command, sizeof command, fmt, ap);
  va_end(ap);
  FILE *f = popen(command, "re");
  if (f == NULL) FAIL("popen: %s", strerror(errno));
  size_t n = fread(text, 1, sizeof text - 1, f);
  text[n] = '\0';
  if (pclose(f) != 0) FAIL("failed: %s: %s", command, text);
  return text;
}

// A namespace as an engine leaves it, for this process and its children.
static void fresh_namespace(void) {
  if (unshare(CLONE_NEWNET) < 0) FAIL("unshare: %s", strerror(errno));
  sh("ip link set lo up");
}

// Where the other ends of an engine's interfaces are: a process that only holds a namespace.
static pid_t far(void) {
  static pid_t pid;
  int ready[2];
  char byte;
  if (pid > 0) return pid;
  if (pipe(ready) < 0 || (pid = fork()) < 0) FAIL("fork: %s", strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) < 0) _exit(1);
    close(ready[1]);
    for (;;) pause();
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) < 0) FAIL("read: %s", strerror(errno));
  close(ready[0]);
  return pid;
}

// An interface as an engine makes it.
static void ethernet(const char *name) {
  static unsigned n;
  sh("ip link add %s type veth peer name f%u netns %d", name, n++, far());
}

static void put_describe(struct payload *p, struct netns *ns) {
  struct nl n;
  struct vxn_writer w = {0};
  char why[NETNS_WHY] = "";
  CHECK_INT(nl_open(&n, 0), 0);
  if (netns_read(&n, ns, why) < 0 || netns_describe(&n, ns, &w, why) < 0) FAIL("%s", why);
  nl_close(&n);
  p->data = w.data;
  p->len = w.len;
  p->size = w.size;
}

// Both ends of a vif: here it is vif1.NUMBER, the agent finds the other end as vif-NUMBER.
static void plug(const struct client *c, unsigned number) {
  sh("ip link add vif1.%u type veth peer name vif-%u netns %d && ip link set vif1.%u up", number, number, c->agent, number);
}

static void send_network(struct client *c, struct payload *p) {
  client_send(c, VXN_H_NETWORK, 0, p->data, p->len);
  free(p->data);
  *p = (struct payload){0};
}

static void send_namespace(struct client *c, struct netns *ns) {
  struct payload p = {0};
  put_describe(&p, ns);
  send_network(c, &p);
}

static void make_container(struct client *c) {
  struct payload p = {0};
  put_root(&p);
  put_default_mounts(&p);
  container(c, &p);
}

// What a script in the container prints.
static const char *inside(struct client *c, uint32_t id, const char *script) {
  start_shell(c, id, script);
  UNTIL(c, c->procs[id].exited);
  return output(c, id, 0);
}

// ---- Bytes

static void cut_attributes(void) {
  struct nl_value v[4];
  uint8_t bytes[64] = {0};
  // Two attributes, of 3 and 4 bytes of content.
  const uint8_t whole[] = {7, 0, 1, 0, 'a', 'b', 0, 0, 8, 0, 3, 0, 1, 2, 3, 4};
  CHECK_INT(nl_parse(whole, sizeof whole, v, 4), 0);
  char text[4];
  CHECK(nl_string(v[1], text, sizeof text));
  CHECK_STR(text, "ab");
  CHECK(!nl_string(v[1], text, 2));
  CHECK(!nl_string(v[3], text, sizeof text));
  CHECK_INT(nl_u32(v[3], 0), 0x04030201);
  CHECK_INT(nl_u32(v[1], 9), 9);
  CHECK_INT(nl_u32(v[2], 9), 9);
  for (size_t len = 0; len < sizeof whole; len++) {
    uint8_t *exact = malloc(len + 1);  // the sanitizer sees what is read beyond
    memcpy(exact, whole, len);
    int rc = nl_parse(exact, len, v, 4);
    CHECK_INT(rc, len == 0 || len == 7 || len == 8 ? 0 : -1);
    free(exact);
  }
  for (int length = 0; length < 4; length++) {
    bytes[0] = (uint8_t)length;
    CHECK_INT(nl_parse(bytes, sizeof bytes, v, 4), -1);
  }
}

static void full_message(void) {
  struct nl_message m;
  struct ifinfomsg i = {0};
  static uint8_t data[5000];
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put(&m, 1, data, sizeof data);
  CHECK(!m.full);
  nl_put(&m, 1, data, sizeof data);
  CHECK(m.full);
  nl_put_u32(&m, 1, 1);
  CHECK(m.full);
  struct nl n;
  CHECK_INT(nl_open(&n, 0), 0);
  CHECK_INT(nl_request(&n, &m, NULL, NULL), -EMSGSIZE);
  nl_close(&n);
}

static void writer_full(void) {
  struct vxn_writer w = {0};
  static uint8_t data[VXN_PAYLOAD_MAX];
  size_t outer = vxn_write_begin(&w, 1);
  vxn_write_record(&w, 2, data, 60000);
  vxn_write_end(&w, outer);
  CHECK(!w.full);
  CHECK_INT(w.len, 60016);
  vxn_write_record(&w, 2, data, 60000);
  vxn_write_u32(&w, 3, 1);
  CHECK(w.full);
  CHECK_INT(w.len, 60016);
  const uint8_t *at = w.data;
  size_t left = w.len;
  struct vxn_record r;
  CHECK_INT(vxn_next_record(&at, &left, &r), 1);
  CHECK_INT(r.length, 60008);
  vxn_writer_free(&w);
}

static void link_of(struct payload *p, const char *name, uint32_t number) {
  struct payload l = {0};
  static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
  put_u32(&l, VXN_T_LINK_NUMBER, number);
  put_str(&l, VXN_T_LINK_NAME, name);
  put(&l, VXN_T_LINK_MAC, mac, sizeof mac);
  put_u32(&l, VXN_T_LINK_MTU, 1500);
  put_u32(&l, VXN_T_LINK_FLAGS, IFF_UP);
  put(p, VXN_T_LINK, l.data, l.len);
  free(l.data);
}

static void refused(struct payload *p) {
  struct network_desc d = {0};
  struct error e;
  uint8_t *exact = malloc(p->len + 1);
  memcpy(exact, p->data, p->len);
  if (parse_network(&d, exact, p->len, &e) == 0) FAIL("a malformed NETWORK is taken");
  pool_free(&d.pool);
  free(exact);
  free(p->data);
  *p = (struct payload){0};
}

static void malformed_networks(void) {
  struct payload p = {0};
  static const char *const names[] = {"", ".", "..", "a/b", "a b", "sixteen-letters-x"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) link_of(&p, names[i], 0), refused(&p);
  link_of(&p, "a", 0), link_of(&p, "a", 1), refused(&p);
  link_of(&p, "a", 0), link_of(&p, "b", 0), refused(&p);
  link_of(&p, "a", 0x10000), refused(&p);
  put(&p, VXN_T_LINK, "abc", 3), refused(&p);
  put(&p, VXN_T_RESOLVER, "abcde", 5), refused(&p);
  put_u32(&p, VXN_T_OBJECT, RTM_NEWLINK), refused(&p);
  put_u32(&p, VXN_T_OBJECT, RTM_NEWROUTE), refused(&p);
  put(&p, VXN_T_OBJECT, "x", 1), refused(&p);
  put_u32(&p, 999, 0), refused(&p);
  static const char *const settings[] = {"ipv4/x", "ipv4/\0001", "ipv5/x\0001", "ipv4/../x\0001", "ipv4/a/b\0001"};
  static const size_t lengths[] = {6, 7, 8, 11, 10};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct payload l = {0};
    put_u32(&l, VXN_T_LINK_NUMBER, 0);
    put_str(&l, VXN_T_LINK_NAME, "eth0");
    put(&l, VXN_T_LINK_SETTING, settings[i], lengths[i]);
    put(&p, VXN_T_LINK, l.data, l.len);
    free(l.data);
    refused(&p);
  }
}

static void requests_of_the_runtime(void) {
  struct network_request r;
  struct payload p = {0};
  CHECK(network_request_parse(&r, NULL, 0));
  CHECK_INT(r.mode, NETWORK_NAMESPACE);
  put_u32(&p, VXN_T_JOIN_MODE, NETWORK_BRIDGE);
  CHECK(!network_request_parse(&r, p.data, p.len));
  put_str(&p, VXN_T_JOIN_BRIDGE, "xenbr0");
  put(&p, VXN_T_JOIN_ADDRESS, "\x0a\x00\x00\x07\x18", 5);
  put(&p, VXN_T_JOIN_RESOLVER, "\x7f\x00\x00\x0b", 4);
  CHECK(network_request_parse(&r, p.data, p.len));
  CHECK_STR(r.bridge, "xenbr0");
  CHECK_INT(r.prefix, 24);
  CHECK_INT(r.n_resolvers, 1);
  free(p.data);
  static const struct {
    uint16_t tag;
    const char *value;
    size_t len;
  } bad[] = {{VXN_T_JOIN_MODE, "\x04\0\0\0", 4}, {VXN_T_JOIN_MODE, "\0", 1},        {VXN_T_JOIN_BRIDGE, "", 0},
             {VXN_T_JOIN_BRIDGE, "0123456789abcdef", 16}, {VXN_T_JOIN_ADDRESS, "\1\1\1\1\x21", 5}, {VXN_T_JOIN_MAC, "12345", 5},
             {VXN_T_JOIN_RESOLVER, "12345", 5}, {VXN_T_RESOLVER, "\x7f\0\0\1", 4}, {VXN_T_LINK, "", 0}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct payload b = {0};
    put(&b, bad[i].tag, bad[i].value, bad[i].len);
    if (network_request_parse(&r, b.data, b.len)) FAIL("bad request %zu is taken", i);
    free(b.data);
  }
}

static void dhcp_messages(void) {
  uint8_t message[DHCP_MESSAGE_MAX];
  static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
  struct dhcp_request ask = {.type = DHCP_REQUEST, .transaction = 0x01020304, .wanted = {10, 0, 0, 7}, .host_name = "box"};
  struct dhcp_reply r;
  memcpy(ask.mac, mac, sizeof mac);
  size_t len = dhcp_encode(&ask, message);
  CHECK(len >= 300 && len <= sizeof message);
  CHECK(!dhcp_decode(&r, message, len, 0x01020304, mac));  // a question is no answer

  // An answer, put together here.
  uint8_t answer[400] = {2, 1, 6, 0, 1, 2, 3, 4};
  memcpy(answer + 16, "\x0a\x00\x00\x07", 4);
  memcpy(answer + 28, mac, sizeof mac);
  static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 5, 0, 1, 4, 255, 255, 255, 192, 3, 8, 10, 0, 0, 1, 10, 0, 0, 2,
                                    51, 4, 0, 0, 14, 16, 26, 2, 5, 120, 54, 4, 10, 0, 0, 3, 255};
  memcpy(answer + 236, options, sizeof options);
  size_t whole = 236 + sizeof options;
  CHECK(dhcp_decode(&r, answer, whole, 0x01020304, mac));
  CHECK_INT(r.type, DHCP_ACK);
  CHECK_INT(r.prefix, 26);
  CHECK_INT(r.lease, 3600);
  CHECK_INT(r.mtu, 1400);
  CHECK(memcmp(r.router, "\x0a\x00\x00\x01", 4) == 0 && memcmp(r.server, "\x0a\x00\x00\x03", 4) == 0);
  CHECK(!dhcp_decode(&r, answer, whole, 0x01020305, mac));
  CHECK(!dhcp_decode(&r, answer, whole, 0x01020304, (const uint8_t[6]){0}));
  for (size_t cut = 0; cut < whole; cut++) {
    uint8_t *exact = malloc(cut + 1);
    memcpy(exact, answer, cut);
    dhcp_decode(&r, exact, cut, 0x01020304, mac);
    free(exact);
  }
}

// ---- Redirects

static int index_of(const char *name) { return (int)if_nametoindex(name); }

static void redirects(void) {
  struct nl n;
  fresh_namespace();
  sh("ip link add ra type veth peer name rb; ip link set ra up; ip link set rb up");
  int a = index_of("ra"), b = index_of("rb");
  CHECK_INT(nl_open(&n, 0), 0);
  CHECK_INT(redirect_target(&n, a), 0);
  CHECK_INT(redirect_add(&n, a, b), 0);
  CHECK_INT(redirect_target(&n, a), b);
  CHECK_INT(redirect_target(&n, b), 0);
  redirect_remove(&n, a);
  redirect_remove(&n, a);
  CHECK_INT(redirect_target(&n, a), 0);
  CHECK_STR(sh("tc qdisc show dev ra | grep -c ingress || true"), "0\n");

  // What an engine has put there stays.
  sh("tc qdisc add dev ra clsact && tc filter add dev ra ingress pref 7 protocol ip u32 match ip dst 192.0.2.1/32 action mirred "
     "egress redirect dev rb");
  CHECK_INT(redirect_target(&n, a), 0);
  CHECK_INT(redirect_add(&n, a, b), 0);
  CHECK_INT(redirect_target(&n, a), b);
  redirect_remove(&n, a);
  CHECK_HAS(sh("tc qdisc show dev ra"), "clsact");
  CHECK_HAS(sh("tc filter show dev ra ingress"), "pref 7");
  CHECK_INT(redirect_target(&n, a), 0);

  // The other end is gone.
  sh("ip link add rc type veth peer name rd");
  CHECK_INT(redirect_add(&n, a, index_of("rc")), 0);
  sh("ip link del rc");
  CHECK_INT(redirect_target(&n, a), -1);
  redirect_remove(&n, a);
  CHECK_INT(redirect_target(&n, a), 0);
  nl_close(&n);
}

// A netlink socket of the namespace where the other ends are.
static struct nl outside(void) {
  struct nl n;
  char path[32];
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/ns/net", far());
  int there = open(path, O_RDONLY | O_CLOEXEC);
  if (own < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0) FAIL("%s: %s", path, strerror(errno));
  CHECK_INT(nl_open(&n, 0), 0);
  if (setns(own, CLONE_NEWNET) < 0) FAIL("setns: %s", strerror(errno));
  close(own);
  close(there);
  return n;
}

static void vifs_of_one_name(void) {
  struct nl out = outside(), in;
  struct wire w = {.used = true, .link = {.mtu = 1400}};
  CHECK_INT(nl_open(&in, 0), 0);
  for (w.link.number = 0; w.link.number < 2; w.link.number++) {
    unsigned number = w.link.number;
    const char *name = number == 0 ? "wj0" : "wj1";
    ethernet(name);
    sh("ip link add vif5.%u netns %d type veth peer name b5.%u netns %d", number, far(), number, far());
    w.link.index = wire_index(&in, name);
    // As udev does.
    sh("nsenter -t %d -n ip link property add dev vif5.%u altname enxfeffffffffff altname second", far(), number);
    CHECK_INT(wire_join(&out, &in, &w, 5), 1);
    CHECK_HAS(sh("ip -d link show vif5.%u", number), "mtu 1400");
    CHECK(strstr(sh("ip link show vif5.%u", number), "altname") == NULL);
    CHECK_INT(redirect_target(&in, w.link.index), wire_index(&in, number == 0 ? "vif5.0" : "vif5.1"));
  }
  sh("ip link del vif5.0; ip link del vif5.1; ip link del wj0; ip link del wj1");
  nl_close(&in);
  nl_close(&out);
}

static void names_of_vifs(void) {
  char name[IFNAMSIZ];
  vif_name(name, 7, 300);
  CHECK_STR(name, "vif7.300");
  vif_name(name, 0xffff, 0xffff);
  CHECK_STR(name, "vif65535.65535");
}

// ---- What a namespace says

static void says(const char *commands, const char *want) {
  struct nl n;
  struct netns ns = {0};
  char why[NETNS_WHY];
  fresh_namespace();
  sh("%s", commands);
  CHECK_INT(nl_open(&n, 0), 0);
  int rc = netns_read(&n, &ns, why);
  nl_close(&n);
  if (want == NULL && rc < 0) FAIL("%s", why);
  if (want != NULL && rc == 0) FAIL("%s is no problem", commands);
  if (want != NULL) CHECK_HAS(why, want);
}

static void interfaces(void) {
  struct nl n;
  struct netns ns = {0};
  char why[NETNS_WHY];
  fresh_namespace();
  sh("ip link add eth0 type veth peer name x0; ip link set eth0 address 02:00:00:00:00:07 mtu 1400 up;"
     "ip link add eth1 type veth peer name x1; ip addr add 10.1.0.2/24 dev eth1;"
     "ip link add vif9.0 type veth peer name x2; ip link set vif9.0 up");
  CHECK_INT(nl_open(&n, 0), 0);
  CHECK_INT(netns_read(&n, &ns, why), 0);
  CHECK_INT(ns.n, 2);  // neither a vif nor what is down and has no address
  CHECK_STR(ns.links[0].name, "eth0");
  CHECK_INT(ns.links[0].mtu, 1400);
  CHECK_INT(ns.links[0].mac[5], 7);
  CHECK_INT(ns.links[0].number, 0);
  CHECK_INT(ns.links[1].number, 1);
  sh("ip link del eth0; ip link add eth2 type veth peer name x3; ip link set eth2 up");
  CHECK_INT(netns_read(&n, &ns, why), 0);
  CHECK_INT(ns.n, 2);
  CHECK_STR(ns.links[0].name, "eth1");
  CHECK_INT(ns.links[0].number, 1);
  CHECK_INT(ns.links[1].number, 2);  // not the one that has just become free
  nl_close(&n);
}

static void odd_interfaces(void) {
  says("ip link add br0 type bridge; ip link add eth0 type veth peer name x0; ip link set eth0 master br0 up", NULL);
  says("ip tuntap add t0 mode tun; ip link set t0 up", "t0 of the network namespace is no Ethernet interface");
  says("ip tuntap add t0 mode tun", NULL);
  says("ip link add eth0 type veth peer name x0; ip link add m0 link eth0 type macvlan; ip link set m0 up",
       "m0 lies upon another one");
  says("for i in $(seq 20); do ip link add e$i type veth peer name f$i; ip link set e$i up; done", "more than 16 interfaces");
}

// ---- The agent

static void addresses_and_routes(void) {
  struct netns ns = {0};
  struct client *c = client_start();
  fresh_namespace();
  plug(c, 0);
  plug(c, 1);
  // The names are given the other way round than the guest's kernel would; the default route's gateway is reached by a
  // route that the kernel lists later.
  ethernet("eth1");
  ethernet("eth0");
  sh("ip link set eth1 address 02:00:00:00:00:11 mtu 1300 up; ip link set eth0 address 02:00:00:00:00:10 up;"
     "ip addr add 10.1.0.2/24 brd + dev eth0; ip addr add 10.1.0.3/24 dev eth0; ip addr add 10.2.0.2/32 dev eth1;"
     "ip -6 addr add fd01::2/64 dev eth0 nodad;"
     "ip route add 169.254.1.1 dev eth1; ip route add default via 169.254.1.1 dev eth1 onlink;"
     "ip route add default via 10.1.0.1 metric 50; ip route add 192.0.2.0/24 nexthop via 10.1.0.1 nexthop via 10.1.0.9;"
     "ip route add blackhole 198.51.100.0/24; ip route add 203.0.113.0/24 via 10.1.0.1 table 77 mtu 1200;"
     "ip rule add from 10.1.0.3 lookup 77 priority 900; ip -6 route add default via fd01::1;"
     "ip neigh add 10.1.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent;"
     "echo 2 >/proc/sys/net/ipv4/conf/eth0/rp_filter; echo 0 >/proc/sys/net/ipv6/conf/eth1/accept_ra");
  send_namespace(c, &ns);
  make_container(c);
  const char *got = inside(c, 2, "ip -4 addr show eth0; ip -4 addr show eth1; cat /sys/class/net/eth*/address; ls /sys/class/net;"
                                 "ip route; ip route show table 77; ip rule; ip -6 addr show eth0; ip -6 route; ip neigh;"
                                 "cat /proc/sys/net/ipv4/conf/eth0/rp_filter /proc/sys/net/ipv6/conf/eth1/accept_ra");
  CHECK_HAS(got, "10.1.0.2/24 brd 10.1.0.255 scope global eth0");
  CHECK_HAS(got, "10.1.0.3/24 scope global secondary eth0");
  CHECK_HAS(got, "10.2.0.2/32 scope global eth1");
  CHECK_HAS(got, "mtu 1300");
  CHECK_HAS(got, "02:00:00:00:00:10\n02:00:00:00:00:11\n");
  CHECK_HAS(got, "eth0\neth1\nlo\n");
  CHECK_HAS(got, "default via 169.254.1.1 dev eth1 onlink");
  CHECK_HAS(got, "default via 10.1.0.1 dev eth0  metric 50");
  CHECK_HAS(got, "192.0.2.0/24");
  CHECK_HAS(got, "198.51.100.0/24");
  CHECK_HAS(got, "203.0.113.0/24 via 10.1.0.1 dev eth0");
  CHECK_HAS(got, "900:\tfrom 10.1.0.3 lookup 77");
  CHECK_HAS(got, "fd01::2/64 scope global flags 02");
  CHECK_HAS(got, "default via fd01::1 dev eth0");
  CHECK_HAS(got, "10.1.0.1 dev eth0 lladdr 02:00:00:00:00:99");
  CHECK_HAS(got, "PERMANENT");
  CHECK_HAS(got, "2\n0\n");
  client_end(c);
}

static void program_waits_for_its_network(void) {
  struct netns ns = {0};
  struct payload p = {0};
  struct client *c = client_start();
  fresh_namespace();
  ethernet("eth0");
  sh("ip link set eth0 up; ip addr add 10.1.0.2/24 dev eth0");
  send_namespace(c, &ns);
  put_root(&p);
  put_default_mounts(&p);
  client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
  p = process(2);
  ARGS(&p, "sh", "-c", "ip addr show eth0");
  put_usual(&p);
  client_describe(c, VXN_H_PROCESS, 2, &p, WHOLE);
  client_send(c, VXN_H_PING, 1, "x", 1);
  UNTIL(c, c->pongs == 1);
  CHECK(!c->procs[CONTAINER].ok && !c->procs[2].started);
  plug(c, 0);
  UNTIL(c, c->procs[2].started || c->procs[2].failed);
  finish(c, 2, 0);
  CHECK_HAS(output(c, 2, 0), "10.1.0.2/24");
  client_end(c);
}

static void changes_are_followed(void) {
  struct netns ns = {0};
  struct client *c = client_start();
  fresh_namespace();
  plug(c, 0);
  ethernet("eth0");
  sh("ip link set eth0 up; ip addr add 10.1.0.2/24 dev eth0;"
     "ip addr add 10.1.0.3/24 dev eth0; ip route add default via 10.1.0.1");
  send_namespace(c, &ns);
  make_container(c);
  start_shell(c, 2, "ip addr add 10.1.0.4/24 dev eth0; ip route add 198.51.100.0/24 via 10.1.0.9; echo up; read x; sleep 60");
  UNTIL(c, c->procs[2].len[0] == 3);
  sh("ip addr del 10.1.0.3/24 dev eth0; ip addr add 10.1.0.5/24 dev eth0; ip route change default via 10.1.0.254");
  send_namespace(c, &ns);
  const char *got = inside(c, 3, "ip addr show eth0; ip route");
  CHECK_HAS(got, "10.1.0.2/24");
  CHECK_HAS(got, "10.1.0.4/24");  // the program's own
  CHECK_HAS(got, "10.1.0.5/24");
  CHECK(strstr(got, "10.1.0.3/24") == NULL);
  CHECK_HAS(got, "default via 10.1.0.254 dev eth0");
  CHECK(strstr(got, "10.1.0.1 ") == NULL);
  CHECK_HAS(got, "198.51.100.0/24 via 10.1.0.9");

  // A second interface, another address and name for the first: its routes come back.
  plug(c, 1);
  ethernet("eth9");
  sh("ip link set eth9 up; ip addr add 10.9.0.2/24 dev eth9;"
     "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:55 up; ip route add default via 10.1.0.254");
  send_namespace(c, &ns);
  got = inside(c, 4, "ip addr; ip route");
  CHECK_HAS(got, "02:00:00:00:00:55");
  CHECK_HAS(got, "10.9.0.2/24");
  CHECK_HAS(got, "default via 10.1.0.254 dev eth0");
  sh("ip link del eth9; ip link del vif1.1");
  send_namespace(c, &ns);
  got = inside(c, 5, "ip addr");
  CHECK(strstr(got, "10.9.0.2") == NULL);
  client_end(c);
}

static void impossible_networks(void) {
  struct netns ns = {0};
  struct payload p = {0}, more = {0};
  struct nl_message m;
  struct vxn_writer w = {0};
  struct rtmsg r = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
  struct client *c = client_start();
  fresh_namespace();
  plug(c, 0);
  ethernet("eth0");
  sh("ip link set eth0 up; ip addr add 10.1.0.2/24 dev eth0");
  put_describe(&p, &ns);
  nl_start(&m, RTM_NEWROUTE, 0, &r, sizeof r);
  nl_put(&m, RTA_GATEWAY, "\x0a\x08\x00\x01", 4);
  nl_put_u32(&m, RTA_OIF, 2);
  netns_write_object(&w, RTM_NEWROUTE, &m);
  put(&more, VXN_T_RESOLVER, "\x7f\0\0\x0b", 4);
  uint8_t *both = malloc(p.len + w.len);
  memcpy(both, p.data, p.len);
  memcpy(both + p.len, w.data, w.len);
  client_send(c, VXN_H_NETWORK, 0, both, p.len + w.len);
  free(both), free(p.data), free(more.data), vxn_writer_free(&w);
  p = (struct payload){0};
  put_root(&p);
  put_default_mounts(&p);
  client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
  UNTIL(c, c->procs[CONTAINER].failed);
  CHECK_HAS(c->procs[CONTAINER].text, "network: route default: network is unreachable");
  client_end(c);

  c = client_start();
  client_send(c, VXN_H_NETWORK, 0, "abc", 3);
  put_root(&p);
  client_describe(c, VXN_H_CONTAINER, CONTAINER, &p, WHOLE);
  UNTIL(c, c->procs[CONTAINER].failed);
  CHECK_HAS(c->procs[CONTAINER].text, "malformed records");
  client_end(c);
}

static void lo_up(struct client *c) { sh("nsenter -t %d -n ip link set lo up", c->agent); }

static const struct question *question(struct client *c, size_t n) {
  UNTIL(c, c->n_questions > n);
  return &c->questions[n];
}

static void names_by_udp(void) {
  struct payload p = {0};
  struct client *c = client_start();
  lo_up(c);
  put(&p, VXN_T_RESOLVER, "\x7f\0\0\x01", 4);
  put(&p, VXN_T_RESOLVER, "\x7f\0\0\x0b", 4);
  send_network(c, &p);
  make_container(c);
  start_shell(c, 2, "nslookup -type=a web 127.0.0.11 | grep Address: | tail -n1");
  const struct question *q = question(c, 0);
  CHECK_INT(q->transport, 0);
  CHECK_INT(q->resolver, 1);
  // header, "web", A, IN; the answer repeats it and adds a record.
  uint8_t answer[64];
  static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 7, 0, 3};
  memcpy(answer, q->message, q->len);
  answer[2] = 0x81, answer[3] = 0x80, answer[7] = 1;
  memcpy(answer + q->len, record, sizeof record);
  client_send(c, VXN_H_DNS, 0x77777777, answer, q->len + sizeof record);  // nobody has asked
  client_send(c, VXN_H_DNS, q->id, answer, q->len + sizeof record);
  finish(c, 2, 0);
  CHECK_HAS(output(c, 2, 0), "10.7.0.3");
  client_end(c);
}

static void names_by_tcp(void) {
  struct payload p = {0};
  static uint8_t large[60000];
  struct client *c = client_start();
  lo_up(c);
  put(&p, VXN_T_RESOLVER, "\x7f\0\0\x0b", 4);
  send_network(c, &p);
  make_container(c);
  // Two questions at once, the second one asked when the first is answered; then one that gets no answer.
  start_shell(c, 2, "{ printf '\\000\\014abcdefghijkl\\000\\015mnopqrstuvwxy'; sleep 5; } | nc 127.0.0.11 53 | wc -c");
  const struct question *q = question(c, 0);
  CHECK_INT(q->transport, 1);
  CHECK_INT(q->len, 12);
  CHECK(memcmp(q->message, "abcdefghijkl", 12) == 0);
  client_send(c, VXN_H_PING, 1, "x", 1);
  UNTIL(c, c->pongs == 1);
  CHECK_INT(c->n_questions, 1);
  client_send(c, VXN_H_DNS, q->id, large, sizeof large);
  q = question(c, 1);
  CHECK_INT(q->len, 13);
  client_send(c, VXN_H_DNS, q->id, NULL, 0);
  finish(c, 2, 0);
  CHECK_STR(output(c, 2, 0), "60002\n");
  client_end(c);
}

static int ask_agent(struct client *c) {
  char path[32];
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f00000b)};
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd = -1;
  snprintf(path, sizeof path, "/proc/%d/ns/net", c->agent);
  int there = open(path, O_RDONLY | O_CLOEXEC);
  if (there >= 0 && setns(there, CLONE_NEWNET) == 0) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int rc = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&a, sizeof a), saved = errno;
  if (setns(own, CLONE_NEWNET) < 0) FAIL("setns: %s", strerror(errno));
  close(own);
  close(there);
  if (rc < 0) FAIL("connecting: %s", strerror(saved));
  return fd;
}

// The oldest connection gives way while an event of its own waits behind the one that makes it.
static void more_connections_than_places(void) {
  enum { PLACES = 16 };
  int fd[PLACES + 1];
  struct payload p = {0};
  struct client *c = client_start();
  lo_up(c);
  put(&p, VXN_T_RESOLVER, "\x7f\0\0\x0b", 4);
  send_network(c, &p);
  make_container(c);
  for (int i = 0; i < PLACES; i++) fd[i] = ask_agent(c);
  client_send(c, VXN_H_PING, 1, "x", 1);
  UNTIL(c, c->pongs == 1);
  usleep(200000);
  kill(c->agent, SIGSTOP);
  fd[PLACES] = ask_agent(c);
  CHECK(write(fd[0], "\0\014abcdefghijkl", 14) == 14);
  kill(c->agent, SIGCONT);
  CHECK(write(fd[PLACES], "\0\014mnopqrstuvwx", 14) == 14);
  CHECK(memcmp(question(c, 0)->message, "mnopqrstuvwx", 12) == 0);
  client_send(c, VXN_H_PING, 1, "x", 1);
  UNTIL(c, c->pongs == 2);
  for (int i = 0; i <= PLACES; i++) close(fd[i]);
  client_end(c);
}

static void an_address_by_dhcp(void) {
  struct payload p = {0};
  struct client *c = client_start();
  char folder[] = "/tmp/vxn-dhcp-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  fresh_namespace();
  plug(c, 0);
  sh("ip addr add 10.7.0.1/24 dev vif1.0; cd %s && touch leases && printf 'start 10.7.0.50\\nend 10.7.0.60\\ninterface vif1.0\\n"
     "lease_file leases\\npidfile pid\\noption subnet 255.255.255.0\\noption router 10.7.0.1\\noption lease 600\\n' >conf &&"
     "(busybox udhcpd -f -I 10.7.0.1 conf >/dev/null 2>&1 & echo $! >server)", folder);
  struct payload l = {0};
  put_u32(&l, VXN_T_LINK_NUMBER, 0);
  put_str(&l, VXN_T_LINK_NAME, "eth0");
  put(&l, VXN_T_LINK_MAC, "\x00\x16\x3e\x01\x02\x03", 6);
  put_u32(&l, VXN_T_LINK_MTU, 1500);
  put_u32(&l, VXN_T_LINK_FLAGS, IFF_UP | IFF_MULTICAST);
  put(&l, VXN_T_LINK_DHCP, NULL, 0);
  put(&p, VXN_T_LINK, l.data, l.len);
  free(l.data);
  send_network(c, &p);
  make_container(c);
  const char *got = inside(c, 2, "ip addr show eth0; ip route; ping -c 1 10.7.0.1");
  sh("kill $(cat %s/server); rm -rf %s", folder, folder);
  CHECK_HAS(got, "10.7.0.");
  CHECK_HAS(got, "/24 brd 10.7.0.255");
  CHECK_HAS(got, "default via 10.7.0.1 dev eth0");
  CHECK_HAS(got, "1 packets received");
  client_end(c);
}

static const struct test tests[] = {
    {"netlink: attributes that are cut", cut_attributes},
    {"netlink: a message that is full", full_message},
    {"writer: a payload that is full", writer_full},
    {"NETWORK: malformed ones", malformed_networks},
    {"JOIN: the wish of the runtime", requests_of_the_runtime},
    {"DHCP: messages", dhcp_messages},
    {"redirects: made, found, taken back", redirects},
    {"wires: vifs that udev has given the same name", vifs_of_one_name},
    {"wires: vifs with high numbers", names_of_vifs},
    {"namespace: interfaces and their numbers", interfaces},
    {"namespace: odd interfaces", odd_interfaces},
    {"agent: addresses, routes, rules, neighbours, settings", addresses_and_routes},
    {"agent: the program waits for its network", program_waits_for_its_network},
    {"agent: changes are followed", changes_are_followed},
    {"agent: impossible networks", impossible_networks},
    {"agent: names by UDP", names_by_udp},
    {"agent: names by TCP", names_by_tcp},
    {"agent: more connections for names than places", more_connections_than_places},
    {"agent: an address by DHCP", an_address_by_dhcp},
};

int main(int argc, char **argv) {
  fresh_namespace();
  int failed = run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
  client_abandon();
  clean_up();
  return failed;
}
