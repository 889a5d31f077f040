// SPDX-License-Identifier: MIT
#include "timeline.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A container's life takes far less.
#define TIMELINE_BYTES (64 << 10)

static int timeline = -1;

void timeline_open(const char *dir) {
  char path[256];
  snprintf(path, sizeof path, "%s/timeline", dir);
  timeline = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

void timeline_stamp(const char *phase, int64_t offset_ns) {
  struct stat st;
  if (timeline < 0 || fstat(timeline, &st) < 0 || st.st_size > TIMELINE_BYTES) return;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  int64_t ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + offset_ns;
  char line[96];
  int n = snprintf(line, sizeof line, "%" PRId64 " %s\n", ns, phase);
  if (n > 0 && write(timeline, line, (size_t)n) < 0) close(timeline), timeline = -1;
}
