// SPDX-License-Identifier: MIT
// The end of the program's output, kept as frames in output.log for `logs`. Frames gather in memory
// and go to the file a few times a second: with a write per frame a fast program would spend a
// quarter of its time there.
#ifndef VXN_OUTPUT_LOG_H
#define VXN_OUTPUT_LOG_H

#include <stdint.h>

#include "../../common/protocol.h"

/// Opens dir/output.log. limit: bytes to keep, 0 keeps nothing.
void output_log_open(const char *dir, uint64_t limit);

/// Takes one frame of output. Without an open file it is dropped.
void output_log_append(const struct vxn_header *h, const uint8_t *payload);

/// Writes the gathered frames.
void output_log_flush(void);

#endif
