// SPDX-License-Identifier: MIT
// One domain as Xen knows it: found by its UUID, watched until it ends. domain_xen.c, or
// domain_fake.c in tests.
#ifndef VXN_DOMAIN_H
#define VXN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

enum domain_end {
  DOMAIN_ALIVE,
  DOMAIN_GONE,      // destroyed by somebody
  DOMAIN_POWEROFF,  // the guest powered off
  DOMAIN_REBOOT,
  DOMAIN_CRASH,     // guest kernel panic, or a fault that Xen does not let it survive
};

struct domain_events {
  void (*served)(const char *path);       // the agent serves its vchan at this xenstore path
  void (*console)(const char *tty);       // the console's pty is there
  void (*ended)(enum domain_end end);     // called once
};

/// Finds the domain with this UUID and watches it: events are called from the loop. Its id, or -1
/// with *error set to a sentence.
int64_t domain_open(const char *uuid, const struct domain_events *events, const char **error);

/// True in tests: only its channel tells that the domain is over, and nothing has to destroy it.
bool domain_ends_with_channel(void);

/// Asks Xen how the domain is now, without waiting for a watch.
enum domain_end domain_state(void);

/// 1 while the domain is paused, 0 while it is not, -1 when Xen does not say.
int domain_paused(void);

/// Waits for the console's terminal, at most ms; its events are called meanwhile. NULL when it did
/// not come.
const char *domain_wait_console(int ms);

/// The domain was made paused, which does not count as being paused until domain_unpause().
void domain_waits(void);

/// Lets the domain run that was made paused. 0, or -1 with errno.
int domain_unpause(void);

/// The exit status that vxn-agent left in xenstore for guests that cannot tell it themselves; -1:
/// none.
int domain_exit_status(void);

#endif
