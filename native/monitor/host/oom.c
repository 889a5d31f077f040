// SPDX-License-Identifier: MIT
#include "oom.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void oom_score_adj(const char *value) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = write(fd, value, strlen(value));
  (void)n;
  close(fd);
}
