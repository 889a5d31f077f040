// SPDX-License-Identifier: MIT
#include "record.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

void record_open(struct record *r, const char *dir, const char *name, uint64_t limit) {
  *r = (struct record){.fd = -1, .limit = limit};
  int n = snprintf(r->path, sizeof r->path, "%s/%s", dir, name);
  if (limit == 0 || n < 0 || (size_t)n >= sizeof r->path - 2) return;
  r->fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void rotate(struct record *r) {
  char old[sizeof r->path + 2];
  snprintf(old, sizeof old, "%s.1", r->path);
  rename(r->path, old);
  close(r->fd);
  r->fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  r->size = 0;
}

void record_append(struct record *r, const void *head, size_t head_len, const void *data, size_t len) {
  if (r->fd < 0) return;
  if (r->size > 0 && r->size + head_len + len > r->limit / 2) rotate(r);
  struct iovec v[2] = {{(void *)(uintptr_t)head, head_len}, {(void *)(uintptr_t)data, len}};
  ssize_t n = r->fd < 0 ? -1 : writev(r->fd, v, 2);
  if (n > 0) r->size += (uint64_t)n;
}
