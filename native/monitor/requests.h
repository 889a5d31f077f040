// SPDX-License-Identifier: MIT
// What the runtime asks of the monitor: frames of at most PIPE_BUF bytes in a FIFO, written whole.
#ifndef VXN_REQUESTS_H
#define VXN_REQUESTS_H

#include <stdint.h>

#include "../common/protocol.h"

/// Makes the FIFO and calls frame for whatever comes but PAUSED, which is answered here. 0, or -1 with errno.
int requests_open(const char *path, void (*frame)(const struct vxn_header *h, const uint8_t *payload));

#endif
