// SPDX-License-Identifier: MIT
// Addresses, routes, neighbours and rules of NETWORK: messages of rtnetlink in which interfaces are
// named by vif number.
#ifndef VXN_AGENT_OBJECTS_H
#define VXN_AGENT_OBJECTS_H

#include "network_records.h"

/// True when d holds the same object.
bool object_in(const struct network_desc *d, const struct object_desc *o);

/// Takes an object away. It may be gone already, with its interface or by the program's will.
void object_remove(const struct object_desc *o);

/// Adds the objects that are not marked done. A route may need another one that comes later: as
/// long as something succeeds, the rest is tried again. 0, or -1 with *e.
int objects_add(struct network_desc *d, struct error *e);

#endif
