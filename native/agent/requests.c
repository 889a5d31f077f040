// SPDX-License-Identifier: MIT
#include "requests.h"

#include "container.h"
#include "dns.h"
#include "join.h"
#include "network.h"
#include "process.h"
#include "send.h"
#include "stats.h"
#include "watch.h"

// The frames that a host may send: bounds of the payload, and whether the id names something.
static const struct host_rule {
  uint16_t type;
  uint32_t min, max;
  bool id;
} host_rules[] = {
    {VXN_H_HELLO, 4, 4, false},
    {VXN_H_CONTAINER, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_PROCESS, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STDIN, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STDIN_EOF, 0, 0, true},
    {VXN_H_CREDIT, 8, 8, true},
    {VXN_H_SIGNAL, 8, 8, true},
    {VXN_H_RESIZE, 4, 4, true},
    {VXN_H_FILE, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_FILE_DATA, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_NETWORK, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STATS, 0, 0, true},
    {VXN_H_PING, 0, 64, true},
    {VXN_H_POWEROFF, 0, 0, false},
    {VXN_H_DNS, 0, VXN_PAYLOAD_MAX, true},
};

static bool host_header_ok(const struct vxn_header *h) {
  for (size_t i = 0; i < sizeof host_rules / sizeof *host_rules; i++) {
    const struct host_rule *r = &host_rules[i];
    if (r->type == h->type) return h->length >= r->min && h->length <= r->max && (h->id != 0) == r->id;
  }
  return false;
}

// A process may end while frames for it are under way, so a process that does not exist is no
// fault.
static vxn_fault process_frame(const struct vxn_header *h, const uint8_t *payload) {
  struct process *p = process_find(h->id);
  if (p == NULL) return NULL;
  switch (h->type) {
    case VXN_H_STDIN:
      return process_input(p, payload, h->length);
    case VXN_H_STDIN_EOF:
      process_input_eof(p);
      return NULL;
    case VXN_H_CREDIT:
      return process_credit(p, vxn_get32(payload), vxn_get32(payload + 4));
    case VXN_H_SIGNAL:
      process_signal(p, (int)vxn_get32(payload), vxn_get32(payload + 4) == 1);
      return NULL;
    default:
      process_resize(p, vxn_get16(payload), vxn_get16(payload + 2));
      return NULL;
  }
}

vxn_fault requests_take(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (!host_header_ok(h)) return "frame that a host may not send";
  switch (h->type) {
    case VXN_H_HELLO:
      return vxn_get32(payload) == VXN_PROTOCOL_VERSION ? NULL : "version that the agent does not speak";
    case VXN_H_CONTAINER:
      return join_frame(h, payload, container_create);
    case VXN_H_PROCESS:
      return join_frame(h, payload, process_create);
    case VXN_H_FILE:
      container_file(h->id, payload, h->length);
      return NULL;
    case VXN_H_FILE_DATA:
      container_file_data(h->id, payload, h->length);
      return NULL;
    case VXN_H_NETWORK:
      network_request(payload, h->length);
      return NULL;
    case VXN_H_DNS:
      dns_answer(h->id, payload, h->length);
      return NULL;
    case VXN_H_STATS:
      stats_send(h->id);
      return NULL;
    case VXN_H_PING:
      send_frame(VXN_G_PONG, h->id, payload, h->length);
      return NULL;
    case VXN_H_POWEROFF:
      watch_stop();
      return NULL;
    default:
      return process_frame(h, payload);
  }
}
