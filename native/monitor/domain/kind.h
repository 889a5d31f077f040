// SPDX-License-Identifier: MIT
// How a domain's guest is spoken to. A kind connects the first process's link (link/local.h) and
// the clients of the control socket with the guest.
#ifndef VXN_KIND_H
#define VXN_KIND_H

#include "../xen/domain.h"
#include "plan.h"

/// The life of a domain with one container, as VXN_M_STATUS_REPLY tells it.
enum life { LIFE_BOOTING = 1, LIFE_READY, LIFE_RUNNING, LIFE_ENDED };

struct kind {
  /// Opens records, gates and sockets in the domain's folders, and serves the local link. plan has
  /// to stay. 0, or -1 with *error set to a sentence.
  int (*open)(const struct domain_plan *plan, const char **error);
  /// Called when something happens to the domain.
  struct domain_events events;
  /// The domain's id, once known.
  void (*domain)(uint32_t domid);
  /// Once per turn of the loop, before the holder's turn: takes frames and does what waits for
  /// room.
  void (*receive)(void);
  /// Once per turn of the loop, after the holder's turn: sends.
  void (*flush)(void);
  /// The loop has stopped.
  void (*close)(void);
  /// True when the process needs no description (first.h).
  bool described;
};

/// Guests with vxn-agent.
extern const struct kind agent_kind;

/// Guests of meta-virtualization's own images, which print markers on their console.
extern const struct kind marker_kind;

#endif
