// SPDX-License-Identifier: MIT
// The channel to a guest: channel_vchan.c, or channel_fake.c in tests.
#ifndef VXN_GUEST_CHANNEL_H
#define VXN_GUEST_CHANNEL_H

#include <stdint.h>

#include "../host/channel.h"

/// Connects to the channel that domain domid serves at path, as domain_events.served named it. 0,
/// or -1 with errno.
int channel_open_guest(struct channel *c, uint32_t domid, const char *path);

#endif
