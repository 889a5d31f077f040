// SPDX-License-Identifier: MIT
// The host's frames: each is handed to the file that serves it.
#ifndef VXN_AGENT_REQUESTS_H
#define VXN_AGENT_REQUESTS_H

#include "protocol.h"

/// Serves one frame of the host's (vxn_frame_fn), whose header the parser has checked. Its fault:
/// the frame breaks a rule of the protocol.
vxn_fault requests_take(void *ctx, const struct vxn_header *h, const uint8_t *payload);

#endif
