// SPDX-License-Identifier: MIT
// The guest's network as the host wants it. NETWORK says all that is to be there: a difference to
// the NETWORK before is made or taken away. Things that the container's programs have made
// themselves stay.
#ifndef VXN_AGENT_NETWORK_H
#define VXN_AGENT_NETWORK_H

#include "error.h"

/// From now on fn is called when it is decided whether the first NETWORK's network is there
/// (network_ready()).
void network_on_decided(void (*fn)(void));

/// NETWORK: it is carried out as soon as its interfaces are there.
void network_request(const uint8_t *payload, size_t len);

/// 1: the network is up, or none was asked for. 0: interfaces or an address are awaited. -1 with
/// *e: it failed.
int network_ready(struct error *e);

/// The reason why a wait for network_ready() was in vain. Fills *e and answers -1.
int network_missing(struct error *e);

#endif
