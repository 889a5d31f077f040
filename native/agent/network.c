// SPDX-License-Identifier: MIT
#include "network.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>

#include "dns.h"
#include "lease.h"
#include "links.h"
#include "log.h"
#include "modules.h"
#include "objects.h"
#include "rtnl.h"
#include "watch.h"

static enum { NETWORK_UNUSED, NETWORK_WAITING, NETWORK_UP, NETWORK_FAILED } state = NETWORK_UNUSED;
static struct error failure;
static bool pending;  // wanted waits for an interface
static bool leasing;  // an address by DHCP has been asked for
static struct network_desc now, wanted;
static struct nl events = {.fd = -1};
static struct watch events_watch = {.fd = -1};
static void (*decided)(void);

void network_on_decided(void (*fn)(void)) { decided = fn; }

// The first NETWORK decides about the container's start.
static void decide(const struct error *e) {
  if (state != NETWORK_WAITING) return;
  state = e == NULL ? NETWORK_UP : NETWORK_FAILED;
  if (e != NULL) failure = *e;
  if (decided != NULL) decided();
}

static const struct link_desc *dhcp_link(void) {
  for (size_t i = 0; i < now.n_links; i++)
    if (now.links[i].dhcp) return &now.links[i];
  return NULL;
}

// Name servers stay as the first NETWORK has them.
static int listen_for_names(struct error *e) {
  for (size_t i = 0; i < wanted.n_resolvers && state == NETWORK_WAITING; i++)
    if (dns_listen(wanted.resolvers[i].address, wanted.resolvers[i].len, e) < 0) return -1;
  return 0;
}

static int apply(struct error *e) {
  bool all = links_change(&now, &wanted);
  if (listen_for_names(e) < 0) return -1;
  if (links_set_up(&now, &wanted, e) < 0) return -1;
  for (size_t i = 0; i < now.n_objects; i++)
    if (!object_in(&wanted, &now.objects[i])) object_remove(&now.objects[i]);
  for (size_t i = 0; i < wanted.n_objects; i++)
    wanted.objects[i].done = !all && object_in(&now, &wanted.objects[i]);
  return objects_add(&wanted, e);
}

static void try_apply(void) {
  struct error e;
  if (links_missing(&wanted) != NULL) return;
  int rc = apply(&e);
  pending = false;
  pool_free(&now.pool);
  now = wanted;
  wanted = (struct network_desc){0};
  // After the first one the program runs; it has to do with as much as succeeded.
  if (rc < 0 && state != NETWORK_WAITING) agent_log("%s", e.text);
  if (rc < 0) decide(&e);
}

static void settle(void) {
  struct error e;
  if (pending) try_apply();
  if (pending || (state == NETWORK_WAITING && links_idle(&now) != NULL)) return;
  if (events_watch.fd >= 0) watch_close(&events_watch);
  const struct link_desc *l = dhcp_link();
  if (state != NETWORK_WAITING || leasing) return;
  leasing = l != NULL;
  if (!leasing)
    decide(NULL);
  else if (lease_begin(l, link_index(l->number), decide, &e) < 0)
    decide(&e);
}

static void link_event(struct watch *w, uint32_t mask) {
  (void)w, (void)mask;
  nl_events(&events, NULL, NULL);
  settle();
}

static int prepare(struct error *e) {
  if (!rtnl_is_open()) modules_load("2-network");
  if (rtnl_open(e) < 0) return -1;
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
  const struct link_desc *missing = pending ? links_missing(&wanted) : NULL, *idle = links_idle(&now);
  if (missing != NULL)
    return fail(e, ETIMEDOUT, "network interface %s did not appear: is xen-netfront in the guest's kernel?", missing->name);
  return fail(e, ETIMEDOUT, "network interface %s is not connected in Dom0", idle == NULL ? "" : idle->name);
}
