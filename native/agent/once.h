// SPDX-License-Identifier: MIT
// A run without a host: the frames of a host come from a file, and the agent's answers go to its
// own stdio and exit status. So a guest that knows nothing of the agent can have it run a container
// as its program.
#ifndef VXN_AGENT_ONCE_H
#define VXN_AGENT_ONCE_H

#include "transport.h"
#include "error.h"

/// Opens the recording (CONTAINER, FILE... and PROCESS frames of process 1) and removes it, the
/// agent beside it and their folder, as far as that is possible.
int once_open(const char *file, struct error *e);

/// A channel to the recording. Of once_open()'s process, with its terminal if it has one on stdin.
struct vxn_transport *once_channel(struct error *e);

/// How the program ended, as a shell puts it: 128 + N by a signal, 126 or 127 when it could not be
/// started. Leaves it in xenstore as well.
int once_finish(void);

#endif
