// SPDX-License-Identifier: MIT
// Finds out why a guest with an agent is gone. The channel, Xen and the console tell of it in any
// order, and the one that is heard last may know best.
#ifndef VXN_DEATH_H
#define VXN_DEATH_H

#include "../../common/protocol.h"
#include "../xen/domain.h"

/// lose: called with one sentence for the operator. It may be called more than once.
void death_init(void (*lose)(const char *why));

/// The channel is over. why: the rule that the guest broke, or NULL.
void death_of_channel(vxn_fault why);

/// The domain is over.
void death_of_domain(enum domain_end how);

/// The console shows a kernel panic.
void death_panic_seen(void);

#endif
