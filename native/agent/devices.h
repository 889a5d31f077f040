// SPDX-License-Identifier: MIT
// Device nodes of a container.
#ifndef VXN_AGENT_DEVICES_H
#define VXN_AGENT_DEVICES_H

#include "records.h"

/// Makes device nodes below root; a node that is wrong is replaced. 0, or -1 with *e.
int devices_make(int root, const struct device_desc *list, size_t n, struct error *e);

/// The nodes and links that every container's /dev has. 0, or -1 with *e.
int devices_make_defaults(int root, struct error *e);

#endif
