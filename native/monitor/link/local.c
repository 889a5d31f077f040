// SPDX-License-Identifier: MIT
#include "local.h"

#include <stddef.h>

static struct local_domain domain;
static struct link_events holder;

static bool has_room(void) { return domain.has_room(); }

static uint32_t id_for(uint16_t type) {
  switch (vxn_class(type)) {
    case VXN_CLASS_CONTAINER: return LOCAL_CONTAINER;
    case VXN_CLASS_PROCESS: return LOCAL_PROCESS;
    default: return 0;
  }
}

static bool send_frame(uint16_t type, uint16_t flags, const void *payload, uint32_t length) {
  return domain.frame(&(struct vxn_header){type, flags, id_for(type), length}, payload);
}

static void hang_up(int status) { domain.hung_up(status); }

void local_serve(const struct local_domain *d) { domain = *d; }

const struct link *local_connect(const struct link_events *events) {
  static const struct link link = {
      .process = LOCAL_PROCESS, .has_room = has_room, .send = send_frame, .hang_up = hang_up};
  holder = *events;
  return &link;
}

vxn_fault local_deliver(const struct vxn_header *h, const uint8_t *payload) {
  return holder.frame == NULL ? NULL : holder.frame(h, payload);
}

void local_close(const struct link_end *end) {
  if (holder.closed != NULL) holder.closed(end);
}
