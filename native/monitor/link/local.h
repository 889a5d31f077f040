// SPDX-License-Identifier: MIT
// The link inside one program: monitor and holder of a single container. Frames are handed over by
// function call, nothing is copied or queued.
#ifndef VXN_LOCAL_H
#define VXN_LOCAL_H

#include "link.h"

/// The ids of the process and of its container, on the link and in the guest.
#define LOCAL_PROCESS 1u
#define LOCAL_CONTAINER 1u

/// The functions by which the domain hears of the holder.
struct local_domain {
  bool (*has_room)(void);
  bool (*frame)(const struct vxn_header *h, const uint8_t *payload);
  void (*hung_up)(int status);
};

/// The domain's end: says who takes the holder's frames. Once, before local_connect().
void local_serve(const struct local_domain *d);

/// The holder's end: says who takes the domain's frames.
const struct link *local_connect(const struct link_events *events);

/// The domain hands a frame to the holder. NULL, or the rule that it breaks. Without a holder
/// frames are dropped.
vxn_fault local_deliver(const struct vxn_header *h, const uint8_t *payload);

/// The domain ends the link. The holder hears of it again if it has heard of it before.
void local_close(const struct link_end *end);

#endif
