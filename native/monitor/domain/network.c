// SPDX-License-Identifier: MIT
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../../common/redirect.h"
#include "../host/loop.h"
#include "../host/monitor_log.h"
#include "../host/timeline.h"
#include "../xen/vif.h"
#include "bridged.h"
#include "dns.h"
#include "guest.h"
#include "netns.h"
#include "network_request.h"
#include "wire.h"

// As long as libxl waits for a hotplug program.
#define VIF_SECONDS 40
// An engine makes an interface in a dozen steps: changes within this time belong together.
#define SETTLE_MS 50
#define BRIDGED_NAME "eth0"

enum state { IDLE, PLUGGING, TELLING, SETTLED };

static const struct domain_plan *plan;
static void (*on_failed)(const char *why);
static uint32_t domid;
static enum state state = IDLE;
static bool announced;  // the guest has been told once
static bool dirty;      // the namespace has changed since it was read
static int outside_ns = -1;
static char script[256];
static struct network_request request;
static struct nl outside = {.fd = -1}, inside = {.fd = -1};              // requests
static struct nl outside_watch = {.fd = -1}, inside_watch = {.fd = -1};  // events
static struct source outside_events = {.fd = -1}, inside_events = {.fd = -1}, timer = {.fd = -1};
static struct netns ns;
static struct wire wires[NETNS_LINKS];
// The configuration that the guest has, and the one that it is to get.
static struct vxn_writer told, next;

static void set_timer(int ms) {
  struct itimerspec t = {.it_value = {ms / 1000, ms % 1000 * 1000000L}};
  timerfd_settime(timer.fd, 0, &t, NULL);
}

// Changes that came meanwhile are followed now.
static void settle(void) {
  state = SETTLED;
  set_timer(dirty ? SETTLE_MS : 0);
  dirty = false;
}

__attribute__((format(printf, 1, 2))) static int problem(const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  settle();
  if (!announced) state = IDLE;
  // A program that runs goes on with the network that it has.
  if (announced)
    monitor_log("network: %s", text);
  else
    on_failed(text);
  return -1;
}

// ---- The configuration for the guest

static bool is_bridged(void) { return wires[0].used && wires[0].bridge != 0; }

static struct wire *wire_of(int index) {
  for (size_t i = 0; i < NETNS_LINKS; i++)
    if (wires[i].used && wires[i].link.index == index) return &wires[i];
  return NULL;
}

// The namespace without the interfaces that the guest goes without.
static struct netns joined(void) {
  struct netns some = ns;
  some.n = 0;
  for (size_t i = 0; i < ns.n; i++) {
    const struct wire *w = wire_of(ns.links[i].index);
    if (w != NULL && !w->left_out) some.links[some.n++] = ns.links[i];
  }
  return some;
}

static void describe(void) {
  char why[NETNS_WHY];
  const struct netns some = joined();
  next.len = 0;
  next.full = false;
  for (size_t i = 0; i < request.n_resolvers; i++)
    vxn_write_record(&next, VXN_T_RESOLVER, request.resolvers[i].address, request.resolvers[i].len);
  if (is_bridged()) {
    bridged_write(&next, &request, &wires[0].link);
  } else if (request.mode != NETWORK_NONE && netns_describe(&inside, &some, &next, why) < 0) {
    problem("%s", why);
    return;
  }
  bool same = announced && next.len == told.len && (next.len == 0 || memcmp(next.data, told.data, next.len) == 0);
  if (same)
    settle();
  else
    state = TELLING;
}

// ---- Joining

// False when the interface is joined to the virtual machine of another container in this namespace.
static bool is_ours(const struct wire *w) {
  char name[IFNAMSIZ];
  vif_name(name, domid, w->link.number);
  int target = redirect_target(&inside, w->link.index);
  return target <= 0 || target == wire_index(&inside, name);
}

// A program that runs goes without the interface until the engine makes it anew: another attempt
// would look like another change. False when the container fails instead.
static bool leave_out(struct wire *w, const char *why) {
  if (!announced) return problem("%s", why), false;
  monitor_log("network: %s", why);
  if (is_ours(w)) wire_part(&inside, w);
  vif_remove(plan->xl, domid, w->link.number);
  w->left_out = true;
  return true;
}

static bool failed_join(struct wire *w, int error) {
  char text[512];
  const char *said = inside.text[0] != '\0' ? inside.text : outside.text;
  bool lacks_module = error == -ENOENT || error == -EOPNOTSUPP;
  snprintf(text, sizeof text, "cannot join the virtual machine to %s: %s%s%s%s", w->bridge != 0 ? request.bridge : w->link.name,
                 strerror(-error), said[0] != '\0' ? ": " : "", said,
                 lacks_module ? " (Dom0's kernel needs sch_ingress, act_mirred, and cls_matchall or cls_u32)" : "");
  return leave_out(w, text);
}

// Interfaces of other domains and the veth of every container appear there as well: listen only
// while one is awaited.
static int listen_outside(bool on) {
  int group = RTNLGRP_LINK;
  if (on == (outside_events.fd >= 0)) return 0;
  if (!on) loop_set(&outside_events, 0), outside_events.fd = -1;
  if (setsockopt(outside_watch.fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group, sizeof group) < 0)
    return -1;
  if (!on) return 0;
  outside_events.fd = outside_watch.fd;
  outside_events.events = EPOLLIN;
  return loop_add(&outside_events);
}

// Joins the interfaces that have appeared. When none is missing any more the guest may be told.
static void go_on(void) {
  bool missing = false;
  for (size_t i = 0; i < NETNS_LINKS; i++) {
    struct wire *w = &wires[i];
    if (!w->used || w->joined || w->left_out) continue;
    int rc = wire_join(&outside, &inside, w, domid);
    if (rc < 0 && !failed_join(w, rc)) return;
    w->joined = rc == 1;
    missing = missing || rc == 0;
  }
  if (missing) return;
  set_timer(0);
  listen_outside(false);
  describe();
}

static void outside_ready(struct source *s, uint32_t events) {
  (void)s, (void)events;
  nl_events(&outside_watch, NULL, NULL);
  if (state == PLUGGING) go_on();
}

static void timed_out(void) {
  char name[IFNAMSIZ], text[128];
  for (size_t i = 0; i < NETNS_LINKS; i++) {
    if (!wires[i].used || wires[i].joined || wires[i].left_out) continue;
    vif_name(name, domid, wires[i].link.number);
    snprintf(text, sizeof text, "interface %s of the virtual machine did not appear within %d s: is xen-netback in Dom0's kernel?",
             name, VIF_SECONDS);
    if (!leave_out(&wires[i], text)) return;
  }
  go_on();
}

static int add_vif(const struct netns_link *l, const char *netns, const char **error) {
  struct vif v = {.domid = domid, .number = l->number, .script = script, .netns = netns};
  memcpy(v.mac, l->mac, sizeof v.mac);
  return vif_add(&outside, &v, error);
}

static int plug(struct netns_link *l, int bridge) {
  struct wire *w = wires;
  const char *error;
  // A fresh namespace is gone with this process and needs no clean-up.
  const char *path = plan->netns != NULL && plan->netns[0] == '/' && bridge == 0 ? plan->netns : NULL;
  while (w < wires + NETNS_LINKS && w->used) w++;
  if (w == wires + NETNS_LINKS) return problem("more than %d interfaces", NETNS_LINKS);
  int rc;
  // An operator may have given the domain interfaces of his own.
  while ((rc = add_vif(l, path, &error)) > 0) l->number = ns.next++;
  *w = (struct wire){.used = true, .bridge = bridge, .link = *l};
  return rc == 0 || leave_out(w, error) ? 0 : -1;
}

static void await(void) {
  state = PLUGGING;
  if (listen_outside(true) < 0) {
    problem("cannot listen for interfaces: %s", strerror(errno));
    return;
  }
  set_timer(VIF_SECONDS * 1000);
  go_on();
}

// ---- The namespace

static void drop_gone(void) {
  for (size_t i = 0; i < NETNS_LINKS; i++) {
    bool there = !wires[i].used;
    for (size_t k = 0; k < ns.n; k++) there = there || ns.links[k].index == wires[i].link.index;
    if (there) continue;
    if (!wires[i].left_out) vif_remove(plan->xl, domid, wires[i].link.number);
    wires[i] = (struct wire){0};
  }
}

static int plug_namespace(void) {
  for (size_t i = 0; i < ns.n; i++) {
    struct netns_link *l = &ns.links[i];
    if (wire_of(l->index) != NULL) continue;
    int target = redirect_target(&inside, l->index);
    if (target > 0)
      return problem("interface %s of the network namespace belongs to another virtual machine already", l->name);
    if (target < 0) redirect_remove(&inside, l->index);  // of one that was killed
    if (plug(l, 0) < 0) return -1;
  }
  return 0;
}

static void refresh(void) {
  char why[NETNS_WHY];
  dirty = false;
  if (netns_read(&inside, &ns, why) < 0) {
    problem("%s", why);
    return;
  }
  drop_gone();
  if (plug_namespace() == 0) await();
}

static void timer_ready(struct source *s, uint32_t events) {
  (void)events;
  uint64_t times;
  if (read(s->fd, &times, sizeof times) < 0) return;
  if (state == PLUGGING)
    timed_out();
  else if (state == SETTLED && inside_events.fd >= 0)
    refresh();
}

static void inside_ready(struct source *s, uint32_t events) {
  (void)s, (void)events;
  nl_events(&inside_watch, NULL, NULL);
  if (state == SETTLED)
    set_timer(SETTLE_MS);
  else
    dirty = true;
}

static int follow_namespace(void) {
  uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (nl_open(&inside_watch, groups) < 0) return -1;
  inside_events = (struct source){.fd = inside_watch.fd, .events = EPOLLIN, .ready = inside_ready};
  return loop_add(&inside_events);
}

// ---- The bridge

static void start_bridge(void) {
  struct netns_link l = {.number = ns.next++, .name = BRIDGED_NAME, .flags = IFF_UP | IFF_MULTICAST};
  int bridge = wire_index(&outside, request.bridge);
  if (bridge == 0) {
    problem("there is no bridge %s in Dom0", request.bridge);
    return;
  }
  l.mtu = wire_mtu(&outside, bridge);
  memcpy(l.mac, request.mac, sizeof l.mac);
  if (plug(&l, bridge) == 0) await();
}

static void start_namespace(void) {
  char why[NETNS_WHY];
  if (follow_namespace() < 0) {
    problem("cannot follow the network namespace: %s", strerror(errno));
  } else if (request.mode == NETWORK_EITHER && netns_read(&inside, &ns, why) == 0 && ns.n == 0) {
    loop_close(&inside_events);
    start_bridge();
  } else {
    refresh();
  }
}

// ---- The calls of the domain

void network_prepare(void) { outside_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); }

void network_open(const struct domain_plan *p, void (*failed)(const char *why)) {
  plan = p;
  on_failed = failed;
}

void network_domain(uint32_t id) { domid = id; }

// The hotplug script lies beside this program.
static void find_script(void) {
  ssize_t n = readlink("/proc/self/exe", script, sizeof script - sizeof "vxn-vif");
  char *slash = n <= 0 ? NULL : memrchr(script, '/', (size_t)n);
  strcpy(slash == NULL ? script : slash + 1, "vxn-vif");
}

static int open_outside(void) {
  int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (here < 0 || setns(outside_ns, CLONE_NEWNET) < 0) return -1;
  int rc = nl_open(&outside, 0) == 0 && nl_open(&outside_watch, 0) == 0 ? 0 : -1;
  int saved = errno;
  if (setns(here, CLONE_NEWNET) < 0) return -1;
  close(here);
  errno = saved;
  outside_events = (struct source){.fd = -1, .ready = outside_ready};
  return rc;
}

static int open_sockets(void) {
  timer = (struct source){
      .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), .events = EPOLLIN, .ready = timer_ready};
  return timer.fd < 0 || loop_add(&timer) < 0 || open_outside() < 0 || nl_open(&inside, 0) < 0 ? -1 : 0;
}

void network_start(const uint8_t *payload, uint32_t len) {
  bool good = network_request_parse(&request, payload, len);
  for (size_t i = 0; good && i < request.n_resolvers; i++)
    good = dns_add_resolver(request.resolvers[i].address, request.resolvers[i].len) == 0;
  if (!good) {
    problem("the runtime's request is damaged");
    return;
  }
  state = PLUGGING;
  find_script();
  if (request.mode != NETWORK_NONE && open_sockets() < 0)
    problem("cannot open a netlink socket: %s", strerror(errno));
  else if (request.mode == NETWORK_NONE)
    describe();
  else if (request.mode == NETWORK_BRIDGE)
    start_bridge();
  else
    start_namespace();
}

bool network_busy(void) { return state == PLUGGING || state == TELLING; }

void network_turn(void) {
  if (state != TELLING || !guest_has_room()) return;
  guest_send(VXN_H_NETWORK, 0, 0, next.data, (uint32_t)next.len);
  for (size_t i = 0; i < NETNS_LINKS; i++)
    if (wires[i].used && !wires[i].left_out && !wires[i].announced) vif_announce(domid, wires[i].link.number), wires[i].announced = true;
  if (!announced) timeline_stamp("network.sent", 0);
  struct vxn_writer old = told;
  told = next;
  next = old;
  announced = true;
  state = SETTLED;
  set_timer(SETTLE_MS);  // changes that came meanwhile were not followed
}

void network_close(void) {
  state = IDLE;
  set_timer(0);
  for (size_t i = 0; i < NETNS_LINKS; i++)
    if (wires[i].used && !wires[i].left_out) wire_part(&inside, &wires[i]);
}
