// SPDX-License-Identifier: MIT
// The channel to a guest: guest_channel_xen.c, or guest_channel_fake.c in tests.
#ifndef VXN_GUEST_CHANNEL_H
#define VXN_GUEST_CHANNEL_H

#include <stdint.h>

#include "../../common/transport.h"

/// Connects to the channel that domain domid serves at path, as domain_events.served named it. 0,
/// or -1 with errno.
int guest_channel_open(struct vxn_transport *t, uint32_t domid, const char *path);

#endif
