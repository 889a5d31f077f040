// SPDX-License-Identifier: MIT
// Who a process is: limits, working directory, user, groups, capabilities.
#ifndef VXN_AGENT_IDENTITY_H
#define VXN_AGENT_IDENTITY_H

#include "records.h"

/// Gives the calling child the identity that the process is to have. 0, or -1 with *e.
int identity_take(const struct process_desc *p, struct error *e);

#endif
