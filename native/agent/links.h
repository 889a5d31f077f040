// SPDX-License-Identifier: MIT
// The guest's network interfaces: found by the vif's number, named and set up as LINK records say.
#ifndef VXN_AGENT_LINKS_H
#define VXN_AGENT_LINKS_H

#include "network_records.h"

/// The index of the interface that a vif is, 0 while there is none. Names change, this does not.
int link_index(uint32_t number);

/// The link of that number, or NULL.
const struct link_desc *link_by_number(const struct network_desc *d, uint32_t number);

/// The first link whose interface is not there; NULL when all are.
const struct link_desc *links_missing(const struct network_desc *d);

/// The first link that is to be up but whose backend does not take packets yet (the kernel drops
/// them); NULL: none.
const struct link_desc *links_idle(const struct network_desc *d);

/// True when an interface that is there (now) is set up anew for wanted, which costs it its routes.
bool links_change(const struct network_desc *now, const struct network_desc *wanted);

/// Names the interfaces and sets them up as wanted; now is how they are. 0, or -1 with *e.
int links_set_up(const struct network_desc *now, const struct network_desc *wanted, struct error *e);

#endif
