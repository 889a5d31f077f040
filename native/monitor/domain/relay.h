// SPDX-License-Identifier: MIT
// The links over the control socket, the domain's end of link/remote.h: processes whose holders are
// clients (exec). Their frames are passed on under another id.
#ifndef VXN_RELAY_H
#define VXN_RELAY_H

#include <stdbool.h>

#include "control.h"

/// A client's frame for a process of its own. False: no room in the channel now.
bool relay_from_client(struct client *c, const struct vxn_header *h, const uint8_t *payload);

/// A guest's frame for an id that is not the first process's.
vxn_fault relay_from_guest(const struct vxn_header *h, const uint8_t *payload);

/// The client is gone: its processes are killed.
void relay_client_gone(struct client *c);

/// Once per turn of the loop: sends kills for which there was no room before.
void relay_turn(void);

/// The domain is over: every client is told that its processes have been killed, or lost with the
/// guest.
void relay_end(bool lost);

/// Answers with the pids of the clients that have a process here.
void relay_send_pids(struct client *c, uint32_t id);

#endif
