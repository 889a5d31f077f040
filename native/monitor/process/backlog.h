// SPDX-License-Identifier: MIT
// Output beyond a stream's window, of a domain that cannot be made to wait for the reader.
#ifndef VXN_BACKLOG_H
#define VXN_BACKLOG_H

#include "output.h"

/// Passes len bytes on, or keeps them behind the bytes that wait already.
void backlog_write(struct output *o, const uint8_t *data, size_t len);

/// Once per turn of the loop: passes on as much as the reader takes, and gives credit for it.
void backlog_turn(struct output *o, const struct link *link);

/// True when nothing waits.
bool backlog_empty(void);

#endif
