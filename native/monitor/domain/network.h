// SPDX-License-Identifier: MIT
// The domain's network: the configuration that the engine has put into the monitor's namespace
// becomes the guest's. No function in here waits; the caller asks network_busy().
#ifndef VXN_NETWORK_H
#define VXN_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

/// Before the monitor enters the container's namespace: Dom0's ends of vifs appear in the one that
/// it comes from.
void network_prepare(void);

/// failed: called at most once, before the guest was told anything, with the reason why there is no
/// network. plan has to stay.
void network_open(const struct domain_plan *plan, void (*failed)(const char *why));

/// The domain that gets the interfaces.
void network_domain(uint32_t domid);

/// The runtime's JOIN arrived: make the network that it asks for.
void network_start(const uint8_t *payload, uint32_t len);

/// True from network_start() until the guest has been told.
bool network_busy(void);

/// Once per turn of the loop, while the guest takes frames.
void network_turn(void);

/// The domain is over: the engine's interfaces are left as they were found.
void network_close(void);

#endif
