// SPDX-License-Identifier: MIT
// A wire: one of the domain's vifs, joined to an interface of the container's namespace or to a
// bridge of Dom0.
#ifndef VXN_WIRE_H
#define VXN_WIRE_H

#include <stdbool.h>

#include "netns.h"

struct wire {
  bool used, joined;
  bool announced;          // the guest has been told to look for it
  bool left_out;           // could not be joined: the guest goes without it
  int bridge;              // its index outside, 0: joined inside
  struct netns_link link;  // the interface inside, or (bridge) the one that the guest is to have
};

/// The index of the interface of this name, 0 when there is none.
int wire_index(struct nl *n, const char *name);

/// The MTU of an interface, 0 when there is none.
uint32_t wire_mtu(struct nl *n, int index);

/// Joins the domain's vif. 1: done, 0: Dom0's end is not there yet, otherwise -errno with the
/// kernel's words in inside->text or outside->text.
int wire_join(struct nl *outside, struct nl *inside, const struct wire *w, uint32_t domid);

/// Leaves the engine's interface as it was found.
void wire_part(struct nl *inside, const struct wire *w);

#endif
