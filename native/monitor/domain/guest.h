// SPDX-License-Identifier: MIT
// The stream of frames to and from the guest's agent.
#ifndef VXN_GUEST_H
#define VXN_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "../link/stream.h"

/// Connects to the agent, which serves its channel at path. 0, or -1 with errno.
int guest_open(uint32_t domid, const char *path, const struct stream_events *events);

/// True when the channel is open and a frame of the largest size can be queued.
bool guest_has_room(void);

/// Queues a frame. Small frames (up to 64 bytes) may be sent even when guest_has_room() says no,
/// until their reserve is used up.
bool guest_send(uint16_t type, uint16_t flags, uint32_t id, const void *payload, uint32_t length);

/// Reads a bounded amount of what came in. Once per turn of the loop.
void guest_receive(void);

/// Pushes the queue into the channel as far as there is room.
void guest_flush(void);

/// Reads everything that the guest has sent until now, also after its end.
void guest_drain(void);

#endif
