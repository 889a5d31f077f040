// SPDX-License-Identifier: MIT
// Frames to and from the guest: a bounded queue out, the parser in.
#ifndef VXN_GUEST_H
#define VXN_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/protocol.h"

struct guest_events {
  vxn_fault (*frame)(void *ctx, const struct vxn_header *h, const uint8_t *payload);
  void (*closed)(vxn_fault why);  // called once; why is NULL when the guest simply went away
};

/// Takes over the open channel.
int guest_attach(const struct guest_events *events);

/// True when the channel is open and a frame of the largest size can be queued.
bool guest_has_room(void);

/// Queues a frame. Small frames (up to 64 bytes) may be sent even when guest_has_room() says no, until their reserve is used up.
bool guest_send(uint16_t type, uint16_t flags, uint32_t id, const void *payload, uint32_t length);

/// Reads a bounded amount of what came in. Once per turn of the loop.
void guest_receive(void);

/// Pushes the queue into the channel as far as there is room.
void guest_flush(void);

/// Reads whatever the guest has sent until now, also after its end.
void guest_drain(void);

#endif
