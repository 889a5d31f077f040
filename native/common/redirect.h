// SPDX-License-Identifier: MIT
// Two interfaces of one network namespace joined into one wire: what comes in at one goes out at
// the other, by traffic control (an ingress qdisc on each, with a filter that redirects
// everything).
#ifndef VXN_REDIRECT_H
#define VXN_REDIRECT_H

#include "netlink.h"

/// Sends everything that comes in at index out at to. 0, or -errno with n->text.
int redirect_add(struct nl *n, int index, int to);

/// Where our filter at index sends to: the interface's number, 0 when there is no such filter, -1
/// when its interface is gone.
int redirect_target(struct nl *n, int index);

/// Takes our filter away, and the qdisc when nothing else uses it. Nothing to take away is no
/// error.
void redirect_remove(struct nl *n, int index);

#endif
