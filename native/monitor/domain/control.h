// SPDX-License-Identifier: MIT
// The control socket: its clients, one frame at a time. Clients are the runtime and holders
// (`vxn-monitor exec`).
#ifndef VXN_CONTROL_H
#define VXN_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../common/protocol.h"

struct client;

struct control_events {
  /// A whole frame. False: it cannot be taken now, and control_retry() offers it again.
  bool (*frame)(struct client *c, const struct vxn_header *h, const uint8_t *payload);
  /// The client has hung up.
  void (*gone)(struct client *c);
};

/// Listens at dir/control.sock (at most 107 bytes). 0, or -1 with errno.
int control_listen(const char *dir, const struct control_events *events);

/// The process at the other end, as it connected.
pid_t control_pid(const struct client *c);

/// Sends a frame to the client. A client that lets 1 MiB wait is dropped.
void control_send(struct client *c, uint16_t type, uint32_t id, const void *payload, uint32_t length);

/// Offers frames again that could not be taken.
void control_retry(void);

/// Waits up to a second for each client to take the frames queued for it.
void control_drain(void);

#endif
