// SPDX-License-Identifier: MIT
// The guest's network as the host wants it: NETWORK says what is to be there, and what an earlier one brought and this one
// does not is taken away. What the container's programs have made themselves stays.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "agent.h"
#include "netlink.h"
#include "network_records.h"

#define LINKS_MAX 64

static enum { NETWORK_UNUSED, NETWORK_WAITING, NETWORK_UP, NETWORK_FAILED } state = NETWORK_UNUSED;
static struct error failure;
static bool pending;  // wanted waits for an interface
static bool leasing;  // an address by DHCP has been asked for
static struct network_desc now, wanted;
static struct nl requests = {.fd = -1}, events = {.fd = -1};
static struct watch events_watch = {.fd = -1};

// Which of the guest's interfaces a vif is. Names change, this does not.
static struct device {
  uint32_t number;
  int index;
} devices[LINKS_MAX];
static size_t n_devices;

// ---- Interfaces

static int index_of_name(const char *name) { return (int)if_nametoindex(name); }

// The interface that xen-netfront has made for a vif, 0 while there is none.
static int find_device(uint32_t number) {
  char path[64];
  int index = 0;
  if (!agent.pid1) {
    snprintf(path, sizeof path, "vif-%u", number);
    return index_of_name(path);
  }
  snprintf(path, sizeof path, "/sys/bus/xen/devices/vif-%u/net", number);
  autoclosedir DIR *d = opendir(path);
  for (struct dirent *entry; d != NULL && index == 0 && (entry = readdir(d)) != NULL;)
    if (entry->d_name[0] != '.') index = index_of_name(entry->d_name);
  return index;
}

static bool name_of_index(int index, char name[IFNAMSIZ]) { return if_indextoname((unsigned)index, name) != NULL; }

static int device_index(uint32_t number) {
  char name[IFNAMSIZ];
  for (size_t i = 0; i < n_devices; i++) {
    if (devices[i].number != number) continue;
    if (name_of_index(devices[i].index, name)) return devices[i].index;
    devices[i] = devices[--n_devices];
    break;
  }
  int index = find_device(number);
  if (index > 0 && n_devices < LINKS_MAX) devices[n_devices++] = (struct device){number, index};
  return index;
}

static struct ifinfomsg link_message(int index, unsigned flags, unsigned change) {
  return (struct ifinfomsg){.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = change};
}

static int ask(struct nl_message *m) { return nl_request(&requests, m, NULL, NULL); }

static int link_failed(const struct link_desc *l, int error, const char *what, struct error *e) {
  return fail(e, -error, "network interface %s: %s: %s%s%s", l->name, what, errno_text(-error),
              requests.text[0] != '\0' ? ": " : "", requests.text);
}

static int set_flags(int index, unsigned flags, unsigned change) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, flags, change);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  return ask(&m);
}

static bool is_running(const char *name) {
  struct ifreq r = {0};
  autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
  return fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_RUNNING) != 0;
}

static int rename_link(int index, const char *name) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, IFF_UP);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put_string(&m, IFLA_IFNAME, name);
  return ask(&m);
}

// Gives an interface its name. Another one of ours that has it is given a passing one; its own turn comes.
static int take_name(const struct link_desc *l, int index, struct error *e) {
  char name[IFNAMSIZ], passing[IFNAMSIZ];
  if (name_of_index(index, name) && strcmp(name, l->name) == 0) return 0;
  int other = index_of_name(l->name);
  snprintf(passing, sizeof passing, "vxn%d", other);
  int rc = other == 0 ? 0 : rename_link(other, passing);
  if (rc == 0) rc = rename_link(index, l->name);
  return rc == 0 ? 0 : link_failed(l, rc, "setting its name", e);
}

static int set_address(const struct link_desc *l, int index) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, IFF_UP);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put(&m, IFLA_ADDRESS, l->mac, sizeof l->mac);
  return ask(&m);
}

static int set_mtu(const struct link_desc *l, int index) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, 0);
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  nl_put_u32(&m, IFLA_MTU, l->mtu);
  return ask(&m);
}

// Where the link-local address comes with the others nobody waits for its duplicate address detection.
static int generate_address(int index, bool generate) {
  struct nl_message m;
  struct ifinfomsg i = link_message(index, 0, 0);
  uint8_t mode = generate ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
  nl_start(&m, RTM_NEWLINK, 0, &i, sizeof i);
  size_t families = nl_nest(&m, IFLA_AF_SPEC), inet6 = nl_nest(&m, AF_INET6);
  nl_put(&m, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  nl_nest_end(&m, inet6);
  nl_nest_end(&m, families);
  int rc = ask(&m);
  return rc == -EAFNOSUPPORT ? 0 : rc;  // a kernel without IPv6
}

// What the guest's kernel does not know has no effect there, as a missing file says in the namespace.
static void write_settings(const struct link_desc *l) {
  char path[128], current[32];
  for (size_t i = 0; i < l->n_settings; i++) {
    const struct setting_desc *s = &l->settings[i];
    size_t len = strlen(s->value);
    snprintf(path, sizeof path, "/proc/sys/net/%.4s/conf/%s/%s", s->key, l->name, s->key + 5);
    ssize_t n = read_file(path, current, sizeof current);
    if (n < 0 || (strncmp(current, s->value, len) == 0 && (current[len] == '\n' || current[len] == '\0'))) continue;
    if (write_file(path, s->value) < 0) agent_log("%s: %s", path, errno_text(errno));
  }
}

static const struct link_desc *link_by_number(const struct network_desc *d, uint32_t number) {
  for (size_t i = 0; i < d->n_links; i++)
    if (d->links[i].number == number) return &d->links[i];
  return NULL;
}

static bool has_link_local(const struct network_desc *d, uint32_t number) {
  for (size_t i = 0; i < d->n_objects; i++) {
    const struct object_desc *o = &d->objects[i];
    struct ifaddrmsg a;
    struct nl_value v[IFA_ADDRESS + 1];
    if (o->type != RTM_NEWADDR) continue;
    memcpy(&a, o->data, sizeof a);
    if (a.ifa_family == AF_INET6 && a.ifa_index == number + VXN_NET_FIRST &&
        nl_parse(o->data + sizeof a, o->len - sizeof a, v, IFA_ADDRESS + 1) == 0 && v[IFA_ADDRESS].len == 16 &&
        v[IFA_ADDRESS].data[0] == 0xfe && (v[IFA_ADDRESS].data[1] & 0xc0) == 0x80)
      return true;
  }
  return false;
}

static int set_up_link(const struct link_desc *l, int index, struct error *e) {
  const struct link_desc *before = link_by_number(&now, l->number);
  bool same_address = before != NULL && memcmp(before->mac, l->mac, sizeof l->mac) == 0;
  int rc = same_address ? 0 : set_address(l, index);
  if (rc < 0) return link_failed(l, rc, "setting its address", e);
  if ((rc = set_mtu(l, index)) < 0) return link_failed(l, rc, "setting its MTU", e);
  if ((rc = generate_address(index, !has_link_local(&wanted, l->number))) < 0) return link_failed(l, rc, "setting its address mode", e);
  write_settings(l);
  rc = set_flags(index, l->flags, IFF_UP | IFF_NOARP | IFF_MULTICAST);
  return rc == 0 ? 0 : link_failed(l, rc, "setting its flags", e);
}

static int set_up_links(const struct network_desc *d, struct error *e) {
  for (size_t i = 0; i < d->n_links; i++)
    if (take_name(&d->links[i], device_index(d->links[i].number), e) < 0) return -1;
  for (size_t i = 0; i < d->n_links; i++)
    if (set_up_link(&d->links[i], device_index(d->links[i].number), e) < 0) return -1;
  return 0;
}

// ---- Addresses, routes, rules, neighbours

static uint32_t real_index(uint32_t index) {
  if (index <= VXN_NET_LO) return index;
  return (uint32_t)device_index(index - VXN_NET_FIRST);
}

static bool translate_hops(uint8_t *hops, size_t len) {
  struct rtnexthop h;
  for (size_t at = 0; at + sizeof h <= len; at += nl_align(h.rtnh_len)) {
    memcpy(&h, hops + at, sizeof h);
    if (h.rtnh_len < sizeof h || h.rtnh_len > len - at) return false;
    h.rtnh_ifindex = (int)real_index((uint32_t)h.rtnh_ifindex);
    if (h.rtnh_ifindex == 0) return false;
    memcpy(hops + at, &h, sizeof h);
  }
  return true;
}

// Copies an attribute, with interface numbers that are this kernel's. False when an interface is not there.
static bool put_translated(struct nl_message *m, uint16_t object, uint16_t type, struct nl_value v) {
  uint8_t hops[1024];
  if (object == RTM_NEWROUTE && type == RTA_OIF) {
    uint32_t index = real_index(nl_u32(v, 0));
    nl_put_u32(m, type, index);
    return index != 0;
  }
  if (object == RTM_NEWROUTE && type == RTA_MULTIPATH) {
    if (v.len > sizeof hops) return false;
    memcpy(hops, v.data, v.len);
    bool known = translate_hops(hops, v.len);
    nl_put(m, type, hops, v.len);
    return known;
  }
  nl_put(m, type, v.data, v.len);
  return true;
}

static bool object_message(struct nl_message *m, const struct object_desc *o, uint16_t type, uint16_t flags) {
  uint8_t head[32];
  size_t len = object_head(o->type), at = object_index_at(o->type), left = o->len - len;
  const uint8_t *attributes = o->data + len;
  memcpy(head, o->data, len);
  if (at != 0) {
    uint32_t index;
    memcpy(&index, head + at, sizeof index);
    index = real_index(index);
    if (index == 0) return false;
    memcpy(head + at, &index, sizeof index);
  }
  nl_start(m, type, flags, head, len);
  uint16_t kind;
  struct nl_value v;
  int got;
  while ((got = nl_next(&attributes, &left, &kind, &v)) > 0)
    if (!put_translated(m, o->type, kind, v)) return false;
  return got == 0;
}

static int add_object(const struct object_desc *o) {
  struct nl_message m;
  // Several routes to one destination are told apart by their order.
  uint16_t flags = NLM_F_CREATE | (o->type == RTM_NEWROUTE ? NLM_F_APPEND : NLM_F_EXCL);
  if (o->type == RTM_NEWNEIGH) flags = NLM_F_CREATE | NLM_F_REPLACE;
  if (!object_message(&m, o, o->type, flags)) return -ENODEV;
  int rc = ask(&m);
  return rc == -EEXIST ? 0 : rc;
}

static void remove_object(const struct object_desc *o) {
  struct nl_message m;
  // RTM_DELADDR follows RTM_NEWADDR, and so with the others. It may be gone: with its interface, or by the program's will.
  if (object_message(&m, o, (uint16_t)(o->type + 1), 0)) ask(&m);
}

static bool has_object(const struct network_desc *d, const struct object_desc *o) {
  for (size_t i = 0; i < d->n_objects; i++) {
    const struct object_desc *other = &d->objects[i];
    if (other->type == o->type && other->len == o->len && memcmp(other->data, o->data, o->len) == 0) return true;
  }
  return false;
}

// An address or a destination, for people.
static void print_object(const struct object_desc *o, char *text, size_t size) {
  static const char *const kinds[] = {"address", "route", "neighbour", "rule"};
  uint16_t type = o->type == RTM_NEWADDR ? IFA_ADDRESS : o->type == RTM_NEWROUTE ? RTA_DST : NDA_DST;
  size_t head = object_head(o->type);
  struct nl_value v[8];
  char address[INET6_ADDRSTRLEN] = "default";
  uint8_t family = o->data[0], prefix = o->data[1];
  const char *kind = kinds[(o->type - RTM_NEWADDR) / 4 < 3 ? (o->type - RTM_NEWADDR) / 4 : 3];
  if (nl_parse(o->data + head, o->len - head, v, 8) == 0 && v[type].data != NULL &&
      v[type].len == (family == AF_INET6 ? 16u : 4u))
    inet_ntop(family, v[type].data, address, sizeof address);
  if (o->type == RTM_NEWADDR || (o->type == RTM_NEWROUTE && prefix > 0))
    snprintf(text, size, "%s %s/%u", kind, address, prefix);
  else
    snprintf(text, size, "%s %s", kind, o->type == RTM_NEWRULE ? "" : address);
}

static int object_failed(const struct object_desc *o, int error, struct error *e) {
  char text[96];
  print_object(o, text, sizeof text);
  return fail(e, -error, "network: %s: %s%s%s", text, errno_text(-error), requests.text[0] != '\0' ? ": " : "",
              requests.text);
}

// Adds what is not there yet. A route may need another one that comes later: as long as something succeeds, what failed is
// tried again.
static int add_objects(struct network_desc *d, struct error *e) {
  size_t left = 0;
  for (size_t i = 0; i < d->n_objects; i++)
    if (!d->objects[i].done) left++;
  for (size_t before = left + 1; left > 0 && left < before;) {
    before = left;
    for (size_t i = 0; i < d->n_objects; i++) {
      struct object_desc *o = &d->objects[i];
      if (o->done) continue;
      int rc = add_object(o);
      if (rc < 0) object_failed(o, rc, e);
      o->done = rc == 0;
      if (o->done) left--;
    }
  }
  return left == 0 ? 0 : -1;
}

// ---- The whole

// True when an interface that was there is set up anew, which costs it its routes.
static bool links_change(void) {
  for (size_t i = 0; i < wanted.n_links; i++) {
    const struct link_desc *l = &wanted.links[i], *before = link_by_number(&now, l->number);
    if (before != NULL && (strcmp(before->name, l->name) != 0 || memcmp(before->mac, l->mac, sizeof l->mac) != 0 ||
                           before->flags != l->flags))
      return true;
  }
  return false;
}

// The first NETWORK decides about the container's start.
static void decide(const struct error *e) {
  if (state != NETWORK_WAITING) return;
  state = e == NULL ? NETWORK_UP : NETWORK_FAILED;
  if (e != NULL) failure = *e;
  containers_check_disks();
}

static const struct link_desc *dhcp_link(void) {
  for (size_t i = 0; i < now.n_links; i++)
    if (now.links[i].dhcp) return &now.links[i];
  return NULL;
}

static const struct link_desc *missing_link(void) {
  for (size_t i = 0; i < wanted.n_links; i++)
    if (device_index(wanted.links[i].number) == 0) return &wanted.links[i];
  return NULL;
}

// One that is to be up, but whose backend does not take packets yet: the kernel drops what is sent.
static const struct link_desc *idle_link(void) {
  for (size_t i = 0; i < now.n_links; i++) {
    const struct link_desc *l = &now.links[i];
    if ((l->flags & IFF_UP) != 0 && !is_running(l->name)) return l;
  }
  return NULL;
}

// They stay as they are from the first NETWORK on.
static int listen_for_names(struct error *e) {
  for (size_t i = 0; i < wanted.n_resolvers && state == NETWORK_WAITING; i++)
    if (dns_listen(wanted.resolvers[i].address, wanted.resolvers[i].len, e) < 0) return -1;
  return 0;
}

static int apply(struct error *e) {
  bool all = links_change();
  if (listen_for_names(e) < 0) return -1;
  if (set_up_links(&wanted, e) < 0) return -1;
  for (size_t i = 0; i < now.n_objects; i++)
    if (!has_object(&wanted, &now.objects[i])) remove_object(&now.objects[i]);
  for (size_t i = 0; i < wanted.n_objects; i++)
    wanted.objects[i].done = !all && has_object(&now, &wanted.objects[i]);
  return add_objects(&wanted, e);
}

static void try_apply(void) {
  struct error e;
  if (missing_link() != NULL) return;
  int rc = apply(&e);
  pending = false;
  pool_free(&now.pool);
  now = wanted;
  wanted = (struct network_desc){0};
  // After the first one the program runs, with what could be done.
  if (rc < 0 && state != NETWORK_WAITING) agent_log("%s", e.text);
  if (rc < 0) decide(&e);
}

static void settle(void) {
  struct error e;
  if (pending) try_apply();
  if (pending || (state == NETWORK_WAITING && idle_link() != NULL)) return;
  if (events_watch.fd >= 0) watch_close(&events_watch);
  const struct link_desc *l = dhcp_link();
  if (state != NETWORK_WAITING || leasing) return;
  leasing = l != NULL;
  if (!leasing)
    decide(NULL);
  else if (lease_begin(l, device_index(l->number), decide, &e) < 0)
    decide(&e);
}

static void link_event(struct watch *w, uint32_t mask) {
  (void)w, (void)mask;
  nl_events(&events, NULL, NULL);
  settle();
}

static int prepare(struct error *e) {
  if (requests.fd < 0) boot_modules("2-network");
  if (requests.fd < 0 && nl_open(&requests, 0) < 0) return fail(e, errno, "network: netlink: %s", errno_text(errno));
  if (events_watch.fd >= 0) return 0;
  if (nl_open(&events, RTMGRP_LINK) < 0) return fail(e, errno, "network: netlink: %s", errno_text(errno));
  events_watch.fd = events.fd;
  return watch_add(&events_watch, EPOLLIN, link_event) < 0 ? fail(e, errno, "network: %s", errno_text(errno)) : 0;
}

void network_request(const uint8_t *payload, size_t len) {
  struct error e;
  struct network_desc d = {0};
  bool first = state == NETWORK_UNUSED;
  int rc = parse_network(&d, payload, len, &e);
  if (rc == 0 && (d.n_links > 0 || now.n_links > 0)) rc = prepare(&e);
  if (rc < 0) {
    pool_free(&d.pool);
    agent_log("%s", e.text);
    if (!first) return;
    state = NETWORK_FAILED;
    failure = e;
    return;
  }
  pool_free(&wanted.pool);
  wanted = d;
  pending = true;
  if (first) state = NETWORK_WAITING;
  settle();
}

int network_ready(struct error *e) {
  if (state == NETWORK_FAILED) *e = failure;
  return state == NETWORK_FAILED ? -1 : state != NETWORK_WAITING;
}

int network_missing(struct error *e) {
  const struct link_desc *missing = pending ? missing_link() : NULL, *idle = idle_link();
  if (missing != NULL)
    return fail(e, ETIMEDOUT, "network interface %s did not appear: is xen-netfront in the guest's kernel?", missing->name);
  return fail(e, ETIMEDOUT, "network interface %s is not connected in Dom0", idle == NULL ? "" : idle->name);
}
