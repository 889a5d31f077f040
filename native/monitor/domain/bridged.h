// SPDX-License-Identifier: MIT
// The configuration of an interface on a bridge of Dom0, as the runtime asks for it.
#ifndef VXN_BRIDGED_H
#define VXN_BRIDGED_H

#include "netns.h"
#include "network_request.h"

/// Appends the records of NETWORK: the interface with its address and gateway, or with DHCP.
void bridged_write(struct vxn_writer *w, const struct network_request *r, const struct netns_link *l);

#endif
