// SPDX-License-Identifier: MIT
// The guest's figures for clients of the control socket. One question at a time goes to the guest,
// however many ask.
#ifndef VXN_STATS_H
#define VXN_STATS_H

#include <stdbool.h>

#include "control.h"

/// A client's STATS. False: no room in the channel now.
bool stats_from_client(struct client *c, const struct vxn_header *h);

/// The guest's STATS.
vxn_fault stats_from_guest(const struct vxn_header *h, const uint8_t *payload);

/// The client is gone.
void stats_client_gone(const struct client *c);

#endif
