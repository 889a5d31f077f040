// SPDX-License-Identifier: MIT
// Name servers that listen on a loopback address of the container's namespace, as docker's
// 127.0.0.11 does. The guest has a loopback of its own, so its agent takes the questions, and this
// asks them where the engine answers.
#ifndef VXN_DNS_H
#define VXN_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "../../common/protocol.h"

#define DNS_RESOLVERS 4

/// Adds a name server: 4 or 16 bytes of a loopback address. -1 when it is none or there are too
/// many.
int dns_add_resolver(const uint8_t *address, size_t len);

/// A DNS frame of the guest.
vxn_fault dns_query(const struct vxn_header *h, const uint8_t *payload);

/// Once per turn of the loop: answers that had to wait for room in the channel.
void dns_turn(void);

void dns_close(void);

#endif
