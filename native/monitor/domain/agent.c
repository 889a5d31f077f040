// SPDX-License-Identifier: MIT
// A domain whose guest has vxn-agent. Frames of the guest go to the link of their process: the
// local one, or a client of the control socket (relay.h).
#include <errno.h>
#include <stdio.h>

#include "../host/monitor_log.h"
#include "../link/local.h"
#include "console.h"
#include "control.h"
#include "death.h"
#include "dns.h"
#include "end.h"
#include "guest.h"
#include "hello.h"
#include "kind.h"
#include "network.h"
#include "relay.h"
#include "requests.h"
#include "stats.h"

#define STATUS_UNKNOWN 255u

static enum life life = LIFE_BOOTING;
static uint32_t domid;
static uint32_t last_status = STATUS_UNKNOWN;  // for VXN_M_STATUS
static bool lost;

// ---- The end

// The last container has ended, and the domain goes with it.
static void container_ended(int status) {
  if (life == LIFE_ENDED) return;
  life = LIFE_ENDED;
  last_status = (uint32_t)status;
  network_close();
  dns_close();
  end_domain();
  relay_end(lost);
}

// A holder that hears of it hangs up, which ends the container. Without a holder the domain ends
// here.
static void fail(uint32_t error_number, const char *why) {
  if (life == LIFE_ENDED) return;
  monitor_log("%s", why);
  local_close(&(struct link_end){.why = why, .error_number = error_number});
  container_ended(STATUS_UNKNOWN);
}

static void lose(const char *why) {
  if (life != LIFE_ENDED) lost = true;
  fail(0, why);
}

static void network_failed(const char *why) { fail(ENETDOWN, why); }

static void agent_closed(vxn_fault why) {
  if (life != LIFE_ENDED) death_of_channel(why);
}

static void domain_ended(enum domain_end how) {
  guest_drain();
  if (life != LIFE_ENDED) death_of_domain(how);
}

// ---- Frames of the guest

static vxn_fault to_first_process(const struct vxn_header *h, const uint8_t *payload) {
  vxn_fault fault = local_deliver(h, payload);
  if (fault == NULL && h->type == VXN_G_STARTED && life == LIFE_READY) life = LIFE_RUNNING;
  return fault;
}

// An agent of another version breaks no rule: the operator reads the reason as it stands.
static vxn_fault take_hello(const uint8_t *payload) {
  if (life != LIFE_BOOTING) return "a second HELLO";
  const char *why = hello_from_guest(payload);
  if (why != NULL)
    lose(why);
  else
    life = LIFE_READY;
  return NULL;
}

static vxn_fault about_domain(const struct vxn_header *h, const uint8_t *payload) {
  switch (h->type) {
    case VXN_G_STATS: return stats_from_guest(h, payload);
    case VXN_G_DNS: return dns_query(h, payload);
    default: return "an answer that nobody asked for";
  }
}

static vxn_fault from_guest(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (life == LIFE_ENDED) return NULL;
  if (h->type == VXN_G_HELLO) return take_hello(payload);
  if (h->type == VXN_G_LOG) return hello_log(payload, h->length), NULL;
  if (life == LIFE_BOOTING) return "a frame before HELLO";
  switch (vxn_class(h->type)) {
    case VXN_CLASS_DOMAIN: return about_domain(h, payload);
    case VXN_CLASS_CONTAINER:
      return h->id == LOCAL_CONTAINER ? to_first_process(h, payload) : "frame for a container that does not exist";
    default: return h->id == LOCAL_PROCESS ? to_first_process(h, payload) : relay_from_guest(h, payload);
  }
}

static void agent_served(const char *path) {
  static const struct stream_events events = {from_guest, agent_closed};
  if (guest_open(domid, path, &events) < 0) lose("cannot connect to the guest's agent");
}

// ---- Frames of holders, of clients and of the runtime

// The guest hears of a container when its network is there. A running one goes on while its network
// changes.
static bool takes_frames(void) {
  if (life == LIFE_RUNNING) return guest_has_room();
  return life == LIFE_READY && !network_busy() && guest_has_room();
}

static bool from_first_holder(const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_M_JOIN) return network_start(payload, h->length), true;
  return guest_send(h->type, h->flags, h->id, payload, h->length);
}

static void send_status(struct client *c, uint32_t id) {
  uint8_t payload[12];
  vxn_put32(payload, (uint32_t)life);
  vxn_put32(payload + 4, domid);
  vxn_put32(payload + 8, last_status);
  control_send(c, VXN_M_STATUS_REPLY, id, payload, sizeof payload);
}

static void refuse_process(struct client *c, uint32_t id) {
  static const char text[] = "\0\0\0\0container not running";
  control_send(c, VXN_G_PROCESS_FAILED, id, text, sizeof text - 1);
}

static bool from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_M_STATUS) return send_status(c, h->id), true;
  if (h->type == VXN_H_STATS) {
    if (life == LIFE_BOOTING) return false;
    return life == LIFE_ENDED ? true : stats_from_client(c, h);
  }
  if (h->type == VXN_M_PIDS) return relay_send_pids(c, h->id), true;
  if (life != LIFE_RUNNING) {
    if (h->type == VXN_H_PROCESS) refuse_process(c, h->id);
    return true;
  }
  return h->id > LOCAL_PROCESS ? relay_from_client(c, h, payload) : true;
}

static void client_gone(struct client *c) {
  relay_client_gone(c);
  stats_client_gone(c);
}

// The requests are for the container, so its holder takes them.
static void from_runtime(const struct vxn_header *h, const uint8_t *payload) {
  if (h->type == VXN_M_KILL || h->type == VXN_M_START || h->type == VXN_H_SIGNAL) local_deliver(h, payload);
}

// ---- The kind

static int agent_open(const struct domain_plan *plan, const char **error) {
  static const struct control_events events = {from_client, client_gone};
  static const struct local_domain first = {takes_frames, from_first_holder, container_ended};
  monitor_log_open(plan->log_dir);
  if (end_open(plan) < 0) return *error = "cannot make the gates", -1;
  death_init(lose);
  console_init(plan->log_dir, death_panic_seen);
  network_open(plan, network_failed);
  local_serve(&first);
  if (control_listen(plan->dir, &events) < 0) return *error = "cannot listen on the control socket", -1;
  if (requests_open(plan->dir, from_runtime) < 0) return *error = "cannot make the request FIFO", -1;
  return 0;
}

static void agent_domain(uint32_t id) {
  domid = id;
  network_domain(id);
  if (!domain_ends_with_channel()) end_owns(id);
}

static void agent_receive(void) {
  guest_receive();
  relay_turn();
  if (life != LIFE_BOOTING) control_retry();
  if (life == LIFE_READY || life == LIFE_RUNNING) network_turn(), dns_turn();
  guest_flush();
}

const struct kind agent_kind = {
    .open = agent_open,
    .events = {.served = agent_served, .console = console_open, .ended = domain_ended},
    .domain = agent_domain,
    .receive = agent_receive,
    .flush = guest_flush,
    .close = control_drain,
};
