// SPDX-License-Identifier: MIT
// A run as a test on a host: a socket in place of the vchan, and mounts that the host does not see.
#ifndef VXN_AGENT_TRIAL_H
#define VXN_AGENT_TRIAL_H

#include "error.h"
#include "transport.h"

/// A mount namespace of the agent's own, the folder for its state, and the limits of its processes.
/// 0, or -1 with *e.
int trial_prepare(struct error *e);

/// The channel of --socket: the number of an open descriptor, or a path where the agent waits for
/// one connection. (The agent is the side that offers the channel, as with a vchan.) NULL with *e
/// on failure.
struct vxn_transport *trial_channel(const char *where, struct error *e);

#endif
