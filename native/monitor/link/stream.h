// SPDX-License-Identifier: MIT
// Frames over a transport: a bounded queue out, the parser in.
#ifndef VXN_STREAM_H
#define VXN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../common/protocol.h"
#include "../../common/transport.h"
#include "../host/loop.h"

#define STREAM_QUEUE (2 * VXN_FRAME_MAX)

struct stream_events {
  /// A whole frame. NULL, or the fault that ends the stream.
  vxn_fault (*frame)(void *ctx, const struct vxn_header *h, const uint8_t *payload);
  /// Called once; why is NULL when the peer simply went away.
  void (*closed)(vxn_fault why);
};

struct stream {
  struct source src;
  struct vxn_transport *transport;
  struct stream_events on;
  bool open, unread;
  size_t queued;
  struct vxn_parser parser;
  uint8_t queue[STREAM_QUEUE];
};

/// Begins to use the open transport, which has to outlive the stream. 0, or -1 with errno.
int stream_open(struct stream *s, struct vxn_transport *t, const struct stream_events *events);

/// True when the stream is open and a frame of the largest size can be queued.
bool stream_has_room(const struct stream *s);

/// Queues a frame. A small frame (up to 64 bytes) may be sent even when stream_has_room() says no,
/// until the reserve for such frames is used up. False when there is no room.
bool stream_send(struct stream *s, const struct vxn_header *h, const void *payload);

/// Reads a bounded amount of what came in. To be called once per turn of the loop.
void stream_receive(struct stream *s);

/// Pushes the queue into the transport as far as there is room. When a full queue gets room, the loop
/// turns once more for those who found none.
void stream_flush(struct stream *s);

/// Reads everything that the peer has sent until now, also after its end.
void stream_drain(struct stream *s);

#endif
