// SPDX-License-Identifier: MIT
// The control socket: clients of the runtime, one frame at a time.
#ifndef VXN_CONTROL_H
#define VXN_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/protocol.h"

struct client;

struct control_events {
  // A whole frame. False: it can not be taken now; it is offered again by control_retry().
  bool (*frame)(struct client *c, const struct vxn_header *h, const uint8_t *payload);
  void (*gone)(struct client *c);
};

/// Listens at path (at most 107 bytes). 0, or -1 with errno.
int control_listen(const char *path, const struct control_events *events);

/// The process at the other end, as it connected.
pid_t control_pid(const struct client *c);

/// Sends a frame to the client. A client that lets 1 MiB pile up is dropped.
void control_send(struct client *c, uint16_t type, uint32_t id, const void *payload, uint32_t length);

/// Offers frames again that could not be taken.
void control_retry(void);

/// Waits up to a second for the clients to take what is queued for them.
void control_drain(void);

#endif
