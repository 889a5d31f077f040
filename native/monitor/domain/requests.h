// SPDX-License-Identifier: MIT
// Requests of the runtime: frames of at most PIPE_BUF bytes in a FIFO, written whole.
#ifndef VXN_REQUESTS_H
#define VXN_REQUESTS_H

#include <stdint.h>

#include "../../common/protocol.h"

/// Makes the FIFO dir/requests. PAUSED is answered here, with dir/paused.PID; frame is called for
/// any other request. dir has to stay. 0, or -1 with errno.
int requests_open(const char *dir, void (*frame)(const struct vxn_header *h, const uint8_t *payload));

#endif
