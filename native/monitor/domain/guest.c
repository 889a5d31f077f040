// SPDX-License-Identifier: MIT
#include "guest.h"

#include "../xen/guest_channel.h"

static struct vxn_transport channel;
static struct stream stream;

int guest_open(uint32_t domid, const char *path, const struct stream_events *events) {
  if (guest_channel_open(&channel, domid, path) < 0) return -1;
  return stream_open(&stream, &channel, events);
}

bool guest_has_room(void) { return stream_has_room(&stream); }

bool guest_send(uint16_t type, uint16_t flags, uint32_t id, const void *payload, uint32_t length) {
  return stream_send(&stream, &(struct vxn_header){type, flags, id, length}, payload);
}

void guest_receive(void) { stream_receive(&stream); }

void guest_flush(void) { stream_flush(&stream); }

void guest_drain(void) { stream_drain(&stream); }
