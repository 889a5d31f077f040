// SPDX-License-Identifier: MIT
// One output stream of a process: link -> credit window -> a pipe, file, socket or nothing. Never
// blocks the loop.
#ifndef VXN_OUTPUT_H
#define VXN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../host/loop.h"
#include "../link/link.h"

struct output {
  struct source src;
  uint32_t stream;  // 1 stdout, 2 stderr
  uint32_t window;  // bytes that may still come
  uint32_t owed;    // bytes passed on and not yet credited
  uint8_t *ring;    // bytes that the reader has not taken yet; NULL while there are none
  size_t head, len;
  bool socket;
  bool broken;  // nobody reads: all bytes are dropped
};

/// Begins to write to fd, which stays as it is for others that hold it. A descriptor that cannot be
/// written to counts as nobody reading.
void output_open(struct output *o, int fd, uint32_t stream);

/// Passes len bytes on or keeps them. False when they are more than the window.
bool output_write(struct output *o, const uint8_t *data, size_t len);

/// Gives credit for the bytes passed on, when they are worth a frame and there is room for one.
void output_credit(struct output *o, const struct link *link);

/// True when every byte that came has been passed on or dropped.
bool output_idle(const struct output *o);

#endif
