// SPDX-License-Identifier: MIT
// A log file of bounded size, kept for the operator. Writing is best effort: no error stops a
// container.
#ifndef VXN_RECORD_H
#define VXN_RECORD_H

#include <stddef.h>
#include <stdint.h>

/// When the file reaches half of the limit it becomes NAME.1, and a new one is begun.
struct record {
  int fd;
  uint64_t size, limit;
  char path[108 + 16];
};

/// Begins dir/name. limit: the bytes that it and NAME.1 may take together; 0 keeps nothing.
void record_open(struct record *r, const char *dir, const char *name, uint64_t limit);

/// Appends head and then data, in one write.
void record_append(struct record *r, const void *head, size_t head_len, const void *data, size_t len);

#endif
