// SPDX-License-Identifier: MIT
// One of the container's output streams: guest -> credit window -> a pipe, file, socket or nothing. Never blocks the loop.
#ifndef VXN_OUTPUT_H
#define VXN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

struct output {
  struct source src;
  uint32_t stream;  // 1 stdout, 2 stderr
  uint32_t window;  // bytes the guest may still send
  uint32_t owed;    // bytes passed on and not yet credited
  uint8_t *ring;    // what the reader has not taken yet; there only while it is needed
  size_t head, len;
  bool socket;
  bool broken;  // nobody reads: what comes is dropped
};

/// Takes over fd (which stays as it is for other holders). A descriptor that cannot be written to counts as nobody reading.
void output_open(struct output *o, int fd, uint32_t stream);

/// Passes len bytes on or keeps them. False when the guest sent more than its window.
bool output_write(struct output *o, const uint8_t *data, size_t len);

/// Gives process's guest credit for what has been passed on, when it is worth a frame and there is room for one.
void output_credit(struct output *o, uint32_t process);

/// True when everything that came has been passed on or dropped.
bool output_idle(const struct output *o);

#endif
