// SPDX-License-Identifier: MIT
// The byte stream to the host: frames are taken off it, and queued ones (send.h) are put on it.
#ifndef VXN_AGENT_CHANNEL_H
#define VXN_AGENT_CHANNEL_H

#include "error.h"
#include "transport.h"

/// Serves the transport from now on. take gets each frame of the host's; its fault ends the
/// channel. 0, or -1 with *e.
int channel_open(struct vxn_transport *t, vxn_frame_fn take, struct error *e);

/// Moves what can be moved now, both ways. True when something was.
bool channel_pump(void);

void channel_close(void);

#endif
