// SPDX-License-Identifier: MIT
// An address by DHCP: asked for, and asked for again as long as the guest runs.
#ifndef VXN_AGENT_LEASE_H
#define VXN_AGENT_LEASE_H

#include "network_records.h"

/// Asks for an address for the interface of that index, and keeps it from then on. done is called
/// once: with NULL when the address is there, or with the reason why not. 0, or -1 with *e; then
/// done is not called.
int lease_begin(const struct link_desc *l, int index, void (*done)(const struct error *failure), struct error *e);

#endif
