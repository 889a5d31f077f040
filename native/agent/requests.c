// SPDX-License-Identifier: MIT
#include "requests.h"

#include <stdio.h>

#include "container.h"
#include "dns.h"
#include "join.h"
#include "network.h"
#include "process.h"
#include "send.h"
#include "stats.h"
#include "watch.h"

static vxn_fault take_version(uint32_t chosen) {
  static char fault[128];
  if (chosen == VXN_PROTOCOL_VERSION) return NULL;
  snprintf(fault, sizeof fault,
           "it chose version %u of the protocol, version %u is needed: boot the initramfs of the vxn in Dom0", chosen,
           VXN_PROTOCOL_VERSION);
  return fault;
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
  switch (h->type) {
    case VXN_H_HELLO:
      return take_version(vxn_get32(payload));
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
