// SPDX-License-Identifier: MIT
// What is kept for the operator: the container's output, the guest's console, the time line. All bounded, all best effort.
#ifndef VXN_RECORD_H
#define VXN_RECORD_H

#include <stddef.h>
#include <stdint.h>

/// A file that is started anew, the old one kept as NAME.1, when it reaches half of the limit.
struct record {
  int fd;
  uint64_t size, limit;
  char path[108 + 16];
};

/// Opens dir/name for appending. limit: bytes that it and its predecessor may take together; 0 keeps nothing.
void record_open(struct record *r, const char *dir, const char *name, uint64_t limit);

/// Appends head and then data, in one write.
void record_append(struct record *r, const void *head, size_t head_len, const void *data, size_t len);

/// Opens the container's time line; every later stamp goes there.
void timeline_open(const char *path);

/// Stamps phase with the time since boot plus offset_ns.
void timeline_stamp(const char *phase, int64_t offset_ns);

#endif
