// SPDX-License-Identifier: MIT
// The streams of the process that this program stands for: stdin, stdout, stderr, and the log of
// the two.
#ifndef VXN_STREAMS_H
#define VXN_STREAMS_H

#include <stdbool.h>

#include "../link/link.h"
#include "terminal.h"

/// Takes over the descriptors.
void streams_open(const struct stdio *stdio, const struct link *link);

/// As streams_open(), without input, for a domain that cannot be made to wait: whatever comes is
/// kept until the reader takes it.
void streams_open_output(int out, int err, const struct link *link);

/// STDOUT, STDERR and CREDIT of the process. NULL, or the rule that the frame breaks.
vxn_fault streams_frame(const struct vxn_header *h, const uint8_t *payload);

/// Once per turn of the loop: gives credit and, while the program runs, passes input on.
void streams_turn(bool running);

/// The program needs no input any more.
void streams_end_input(void);

/// True when all output has been passed on or dropped.
bool streams_idle(void);

#endif
