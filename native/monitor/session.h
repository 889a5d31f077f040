// SPDX-License-Identifier: MIT
// One container's life as the monitor sees it: booting, ready, running, exited. One session for each kind of guest.
#ifndef VXN_SESSION_H
#define VXN_SESSION_H

#include "domain.h"
#include "options.h"

struct session {
  /// Sets up stdio, records and the control socket. 0, or -1 with *error set to a sentence.
  int (*open)(const struct options *o, const char **error);
  /// What happens to the domain.
  struct domain_events events;
  /// The domain's id, once known.
  void (*domain)(uint32_t domid);
  /// A signal arrived that belongs to the program. by_kernel: no process sent it.
  void (*signal)(int signo, bool by_kernel);
  /// Ends the container as SIGKILL does.
  void (*kill)(void);
  /// Called once per turn of the loop.
  void (*turn)(void);
  /// The status to exit with, when the loop has stopped.
  int (*status)(void);
};

/// Guests with vxn-agent.
extern const struct session agent_session;

/// Guests of meta-virtualization's own images, which print markers on their console.
extern const struct session marker_session;

#endif
