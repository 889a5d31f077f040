// SPDX-License-Identifier: MIT
// Descriptions (CONTAINER, PROCESS) that come in several frames, put together.
#ifndef VXN_AGENT_JOIN_H
#define VXN_AGENT_JOIN_H

#include "protocol.h"

/// Takes a frame of a description. done gets the id and the whole description with its last frame.
/// A description that would need too much memory is refused after its last frame; the
/// others go on.
vxn_fault join_frame(const struct vxn_header *h, const uint8_t *payload,
                     void (*done)(uint32_t id, const uint8_t *data, size_t len));

/// Drops the descriptions that are not whole.
void join_clear(void);

#endif
