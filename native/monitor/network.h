// SPDX-License-Identifier: MIT
// The container's network: what the engine has put into the monitor's namespace becomes the guest's. Nothing waits in here;
// the session asks network_busy().
#ifndef VXN_NETWORK_H
#define VXN_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

struct nl;

/// Before the monitor enters the container's namespace: Dom0's ends of vifs appear in the one that it comes from.
void network_prepare(void);

/// failed: the network can not be made, and this is why; called at most once, before the guest was told anything.
void network_open(const struct options *o, void (*failed)(const char *why));

/// The domain that gets the interfaces.
void network_domain(uint32_t domid);

/// The NETWORK of the start file arrived: make it.
void network_start(const uint8_t *payload, uint32_t len);

/// True from network_start() until the guest has been told.
bool network_busy(void);

/// Once per turn of the loop, while the guest takes frames.
void network_turn(void);

/// The container is over: the engine's interfaces are left as they were found.
void network_close(void);

/// A socket of the namespace that the monitor comes from.
struct nl *network_outside(void);

#endif
