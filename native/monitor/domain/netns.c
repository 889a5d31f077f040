// SPDX-License-Identifier: MIT
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LO_INDEX 1

__attribute__((format(printf, 2, 3))) static int refuse(char why[NETNS_WHY], const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(why, NETNS_WHY, format, ap);
  va_end(ap);
  return -1;
}

// ---- Interfaces

struct found {
  struct netns_link link;
  bool addressed;
};

struct link_dump {
  struct found found[NETNS_LINKS];
  size_t n;
  char *why;
};

static void links_start(void *ctx) { ((struct link_dump *)ctx)->n = 0; }

static bool is_vif(const char *name) {
  unsigned domid, number;
  char rest;
  return sscanf(name, "vif%u.%u%c", &domid, &number, &rest) == 2;
}

// An interface that is made on top of another one.
static bool is_stacked(const struct nl_value *v) {
  struct nl_value info[IFLA_INFO_KIND + 1];
  char kind[32] = "";
  if (v[IFLA_LINK].data == NULL || v[IFLA_LINK_NETNSID].data != NULL) return false;
  if (v[IFLA_LINKINFO].data != NULL && nl_parse(v[IFLA_LINKINFO].data, v[IFLA_LINKINFO].len, info, IFLA_INFO_KIND + 1) == 0)
    nl_string(info[IFLA_INFO_KIND], kind, sizeof kind);
  return nl_u32(v[IFLA_LINK], 0) != 0 && strcmp(kind, "veth") != 0;
}

static int take_link(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct link_dump *d = ctx;
  struct ifinfomsg i;
  struct nl_value v[IFLA_LINK_NETNSID + 1];
  struct netns_link l = {0};
  if (type != RTM_NEWLINK || len < sizeof i) return 0;
  memcpy(&i, body, sizeof i);
  if (nl_parse(body + sizeof i, len - sizeof i, v, IFLA_LINK_NETNSID + 1) < 0 ||
      !nl_string(v[IFLA_IFNAME], l.name, sizeof l.name))
    return -EBADMSG;
  bool up = (i.ifi_flags & IFF_UP) != 0;
  if (i.ifi_type == ARPHRD_LOOPBACK || v[IFLA_MASTER].data != NULL || is_vif(l.name)) return 0;
  if (i.ifi_type != ARPHRD_ETHER || v[IFLA_ADDRESS].len != sizeof l.mac)
    return up ? refuse(d->why, "interface %s of the network namespace is no Ethernet interface", l.name) : 0;
  if (is_stacked(v))
    return up ? refuse(d->why, "interface %s lies upon another one in the network namespace", l.name) : 0;
  if (d->n == NETNS_LINKS)
    return refuse(d->why, "the network namespace has more than %d interfaces", NETNS_LINKS);
  l.index = i.ifi_index;
  l.mtu = nl_u32(v[IFLA_MTU], 1500);
  l.flags = i.ifi_flags;
  memcpy(l.mac, v[IFLA_ADDRESS].data, sizeof l.mac);
  d->found[d->n++] = (struct found){.link = l};
  return 0;
}

static int mark_addressed(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct link_dump *d = ctx;
  struct ifaddrmsg a;
  if (type != RTM_NEWADDR || len < sizeof a) return 0;
  memcpy(&a, body, sizeof a);
  for (size_t i = 0; i < d->n; i++)
    if (d->found[i].link.index == (int)a.ifa_index) d->found[i].addressed = true;
  return 0;
}

static const struct netns_link *by_index(const struct netns *ns, int index) {
  for (size_t i = 0; i < ns->n; i++)
    if (ns->links[i].index == index) return &ns->links[i];
  return NULL;
}

int netns_read(struct nl *n, struct netns *ns, char why[NETNS_WHY]) {
  struct link_dump d = {.why = why};
  struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
  struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
  why[0] = '\0';
  int rc = nl_dump(n, RTM_GETLINK, &links, sizeof links, take_link, links_start, &d);
  if (rc == 0) rc = nl_dump(n, RTM_GETADDR, &addresses, sizeof addresses, mark_addressed, NULL, &d);
  if (rc != 0 && why[0] == '\0') return refuse(why, "cannot read the network namespace: %s", strerror(-rc));
  if (rc != 0) return -1;
  struct netns old = *ns;
  ns->n = 0;
  // Fallback devices of tunnel modules are in every namespace, down and without address.
  for (size_t i = 0; i < d.n; i++)
    if ((d.found[i].link.flags & IFF_UP) != 0 || d.found[i].addressed) ns->links[ns->n++] = d.found[i].link;
  for (size_t i = 0; i < ns->n; i++) {
    const struct netns_link *before = by_index(&old, ns->links[i].index);
    ns->links[i].number = before != NULL ? before->number : ns->next++;
  }
  return 0;
}

// ---- Settings

static const char *const settings[] = {
    "ipv4/accept_local", "ipv4/accept_redirects", "ipv4/arp_announce",   "ipv4/arp_ignore",  "ipv4/arp_notify",
    "ipv4/forwarding",   "ipv4/log_martians",     "ipv4/proxy_arp",      "ipv4/rp_filter",   "ipv4/route_localnet",
    "ipv4/send_redirects", "ipv4/src_valid_mark", "ipv6/disable_ipv6",   "ipv6/accept_ra",   "ipv6/accept_redirects",
    "ipv6/autoconf",     "ipv6/forwarding",       "ipv6/proxy_ndp",      "ipv6/use_tempaddr",
};

static void write_setting(struct vxn_writer *w, const char *link, const char *setting) {
  char path[128], value[32];
  // /proc/sys/net is that of the namespace the reader is in.
  snprintf(path, sizeof path, "/proc/sys/net/%.4s/conf/%s/%s", setting, link, setting + 5);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;  // a kernel without it, or without IPv6
  ssize_t n = read(fd, value, sizeof value);
  close(fd);
  if (n <= 0 || n == sizeof value) return;
  if (value[n - 1] == '\n') n--;
  size_t key = strlen(setting) + 1;
  uint8_t record[64];
  if (key + (size_t)n > sizeof record) return;
  memcpy(record, setting, key);
  memcpy(record + key, value, (size_t)n);
  vxn_write_record(w, VXN_T_LINK_SETTING, record, key + (size_t)n);
}

void netns_write_link(struct vxn_writer *w, const struct netns_link *l) {
  vxn_write_u32(w, VXN_T_LINK_NUMBER, l->number);
  vxn_write_string(w, VXN_T_LINK_NAME, l->name);
  vxn_write_record(w, VXN_T_LINK_MAC, l->mac, sizeof l->mac);
  vxn_write_u32(w, VXN_T_LINK_MTU, l->mtu);
  vxn_write_u32(w, VXN_T_LINK_FLAGS, l->flags & (IFF_UP | IFF_NOARP | IFF_MULTICAST));
}

static void write_link(struct vxn_writer *w, const struct netns_link *l) {
  size_t link = vxn_write_begin(w, VXN_T_LINK);
  netns_write_link(w, l);
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) write_setting(w, l->name, settings[i]);
  vxn_write_end(w, link);
}

// ---- Addresses, routes, rules, neighbours

struct object_dump {
  const struct netns *ns;
  struct vxn_writer *w;
  size_t begun;  // length of w before this dump
};

static void objects_start(void *ctx) {
  struct object_dump *d = ctx;
  d->w->len = d->begun;
}

void netns_write_object(struct vxn_writer *w, uint16_t type, const struct nl_message *m) {
  uint8_t head[4];
  vxn_put16(head, type);
  vxn_put16(head + 2, 0);
  size_t object = vxn_write_begin(w, VXN_T_OBJECT), body = m->len - sizeof(struct nlmsghdr);
  uint8_t *at = vxn_write(w, sizeof head + body);
  if (at != NULL) {
    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, m->data + sizeof(struct nlmsghdr), body);
  }
  vxn_write_end(w, object);
}

// The guest's number of an interface, 0 when the guest does not have it.
static uint32_t guest_index(const struct netns *ns, uint32_t index) {
  const struct netns_link *l = by_index(ns, (int)index);
  return index == LO_INDEX ? VXN_NET_LO : l == NULL ? 0 : l->number + VXN_NET_FIRST;
}

static void copy(struct nl_message *m, const struct nl_value *v, const uint16_t *types, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (v[types[i]].data != NULL) nl_put(m, types[i], v[types[i]].data, v[types[i]].len);
}
#define COPY(m, v, ...) \
  copy(m, v, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static int take_address(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct object_dump *d = ctx;
  struct ifaddrmsg a;
  struct nl_value v[IFA_RT_PRIORITY + 1];
  struct nl_message m;
  if (type != RTM_NEWADDR || len < sizeof a) return 0;
  memcpy(&a, body, sizeof a);
  uint32_t index = guest_index(d->ns, a.ifa_index);
  // lo has its own addresses in the guest.
  if (index <= VXN_NET_LO) return 0;
  if (nl_parse(body + sizeof a, len - sizeof a, v, IFA_RT_PRIORITY + 1) < 0) return -EBADMSG;
  uint32_t flags = nl_u32(v[IFA_FLAGS], a.ifa_flags);
  // Addresses that came by router advertisement come to the guest the same way.
  if (a.ifa_family == AF_INET6 && (flags & IFA_F_PERMANENT) == 0) return 0;
  if ((flags & IFA_F_DADFAILED) != 0) return 0;
  flags &= IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR;
  // The namespace has already made sure that nobody else has it.
  if (a.ifa_family == AF_INET6) flags |= IFA_F_NODAD;
  struct ifaddrmsg out = {a.ifa_family, a.ifa_prefixlen, (uint8_t)flags, a.ifa_scope, index};
  nl_start(&m, RTM_NEWADDR, 0, &out, sizeof out);
  COPY(&m, v, IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_RT_PRIORITY);
  nl_put_u32(&m, IFA_FLAGS, flags);
  netns_write_object(d->w, RTM_NEWADDR, &m);
  return 0;
}

// The next hops of a route with the guest's interface numbers. False when one of them is not there.
static bool translate_hops(const struct netns *ns, uint8_t *hops, size_t len) {
  struct rtnexthop h;
  for (size_t at = 0; at + sizeof h <= len;) {
    memcpy(&h, hops + at, sizeof h);
    if (h.rtnh_len < sizeof h || h.rtnh_len > len - at) return false;
    uint32_t index = guest_index(ns, (uint32_t)h.rtnh_ifindex);
    if (index == 0) return false;
    h.rtnh_ifindex = (int)index;
    h.rtnh_flags &= RTNH_F_ONLINK;
    memcpy(hops + at, &h, sizeof h);
    at += nl_align(h.rtnh_len);
  }
  return true;
}

static bool is_engines_route(const struct rtmsg *r) {
  if ((r->rtm_flags & RTM_F_CLONED) != 0 || r->rtm_table == RT_TABLE_LOCAL) return false;
  if (r->rtm_protocol == RTPROT_KERNEL || r->rtm_protocol == RTPROT_RA || r->rtm_protocol == RTPROT_REDIRECT) return false;
  switch (r->rtm_type) {
    case RTN_UNICAST:
    case RTN_BLACKHOLE:
    case RTN_UNREACHABLE:
    case RTN_PROHIBIT:
    case RTN_THROW: return true;
    default: return false;
  }
}

static int take_route(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct object_dump *d = ctx;
  struct rtmsg r;
  struct nl_value v[RTA_MAX + 1];
  struct nl_message m;
  uint8_t hops[1024];
  if (type != RTM_NEWROUTE || len < sizeof r) return 0;
  memcpy(&r, body, sizeof r);
  if (!is_engines_route(&r)) return 0;
  if (nl_parse(body + sizeof r, len - sizeof r, v, RTA_MAX + 1) < 0) return -EBADMSG;
  r.rtm_flags &= RTNH_F_ONLINK;
  nl_start(&m, RTM_NEWROUTE, 0, &r, sizeof r);
  COPY(&m, v, RTA_DST, RTA_SRC, RTA_GATEWAY, RTA_VIA, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_TABLE, RTA_PREF);
  if (v[RTA_OIF].data != NULL) {
    uint32_t index = guest_index(d->ns, nl_u32(v[RTA_OIF], 0));
    if (index == 0) return 0;
    // An unreachable route of IPv6 names lo, and does not take it back.
    if (r.rtm_type == RTN_UNICAST) nl_put_u32(&m, RTA_OIF, index);
  }
  if (v[RTA_MULTIPATH].data != NULL) {
    if (v[RTA_MULTIPATH].len > sizeof hops) return -EMSGSIZE;
    memcpy(hops, v[RTA_MULTIPATH].data, v[RTA_MULTIPATH].len);
    if (!translate_hops(d->ns, hops, v[RTA_MULTIPATH].len)) return 0;
    nl_put(&m, RTA_MULTIPATH, hops, v[RTA_MULTIPATH].len);
  }
  netns_write_object(d->w, RTM_NEWROUTE, &m);
  return 0;
}

static int take_neighbour(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct object_dump *d = ctx;
  struct ndmsg n;
  struct nl_value v[NDA_LLADDR + 1];
  struct nl_message m;
  if (type != RTM_NEWNEIGH || len < sizeof n) return 0;
  memcpy(&n, body, sizeof n);
  uint32_t index = guest_index(d->ns, (uint32_t)n.ndm_ifindex);
  if (n.ndm_state != NUD_PERMANENT || index <= VXN_NET_LO) return 0;
  if (nl_parse(body + sizeof n, len - sizeof n, v, NDA_LLADDR + 1) < 0) return -EBADMSG;
  struct ndmsg out = {.ndm_family = n.ndm_family, .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};
  nl_start(&m, RTM_NEWNEIGH, 0, &out, sizeof out);
  COPY(&m, v, NDA_DST, NDA_LLADDR);
  netns_write_object(d->w, RTM_NEWNEIGH, &m);
  return 0;
}

// The rules that every namespace has: local, main and default, with nothing to match.
static bool is_usual_rule(const struct fib_rule_hdr *r, uint32_t priority) {
  if (r->src_len != 0 || r->dst_len != 0 || r->action != FR_ACT_TO_TBL) return false;
  return (priority == 0 && r->table == RT_TABLE_LOCAL) || (priority == 32766 && r->table == RT_TABLE_MAIN) ||
         (priority == 32767 && r->table == RT_TABLE_DEFAULT);
}

static int take_rule(void *ctx, uint16_t type, const uint8_t *body, size_t len) {
  struct object_dump *d = ctx;
  struct fib_rule_hdr r;
  struct nl_value v[FRA_MAX + 1];
  struct nl_message m;
  if (type != RTM_NEWRULE || len < sizeof r) return 0;
  memcpy(&r, body, sizeof r);
  if (nl_parse(body + sizeof r, len - sizeof r, v, FRA_MAX + 1) < 0) return -EBADMSG;
  if (is_usual_rule(&r, nl_u32(v[FRA_PRIORITY], 0))) return 0;
  r.flags &= FIB_RULE_INVERT;
  nl_start(&m, RTM_NEWRULE, 0, &r, sizeof r);
  COPY(&m, v, FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_OIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_FWMASK, FRA_TABLE,
       FRA_SUPPRESS_PREFIXLEN, FRA_UID_RANGE, FRA_PROTOCOL, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE);
  netns_write_object(d->w, RTM_NEWRULE, &m);
  return 0;
}

static int describe(struct nl *n, struct object_dump *d, uint16_t type, uint8_t family, nl_fn fn) {
  uint8_t body[sizeof(struct rtmsg)] = {family};
  // The kernel checks the size of each kind's fixed part.
  size_t len = type == RTM_GETADDR ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg);
  _Static_assert(sizeof(struct rtmsg) == sizeof(struct ndmsg) && sizeof(struct rtmsg) == sizeof(struct fib_rule_hdr), "size");
  d->begun = d->w->len;
  int rc = nl_dump(n, type, body, len, fn, objects_start, d);
  return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

int netns_describe(struct nl *n, const struct netns *ns, struct vxn_writer *w, char why[NETNS_WHY]) {
  static const struct {
    uint16_t type;
    uint8_t family;
    nl_fn fn;
  } dumps[] = {
      {RTM_GETADDR, AF_INET, take_address}, {RTM_GETADDR, AF_INET6, take_address}, {RTM_GETROUTE, AF_INET, take_route},
      {RTM_GETROUTE, AF_INET6, take_route}, {RTM_GETRULE, AF_INET, take_rule},     {RTM_GETRULE, AF_INET6, take_rule},
      {RTM_GETNEIGH, AF_INET, take_neighbour}, {RTM_GETNEIGH, AF_INET6, take_neighbour},
  };
  struct object_dump d = {.ns = ns, .w = w};
  for (size_t i = 0; i < ns->n; i++) write_link(w, &ns->links[i]);
  for (size_t i = 0; i < sizeof dumps / sizeof *dumps; i++) {
    int rc = describe(n, &d, dumps[i].type, dumps[i].family, dumps[i].fn);
    if (rc != 0) return refuse(why, "cannot read the network namespace: %s", strerror(-rc));
  }
  if (w->full) return refuse(why, "the network namespace's configuration takes more than %u KiB", VXN_PAYLOAD_MAX >> 10);
  return 0;
}
