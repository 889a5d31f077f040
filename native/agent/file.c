// SPDX-License-Identifier: MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "cleanup.h"

int write_file(const char *path, const char *text) {
  autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t len = strlen(text);
  ssize_t n = write(fd, text, len);
  if (n < 0) return -1;
  if ((size_t)n != len) {
    errno = EIO;
    return -1;
  }
  return 0;
}

ssize_t read_file(const char *path, char *buf, size_t size) {
  autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t have = 0;
  while (have < size - 1) {
    ssize_t n = read(fd, buf + have, size - 1 - have);
    if (n < 0) return -1;
    if (n == 0) break;
    have += (size_t)n;
  }
  buf[have] = '\0';
  return (ssize_t)have;
}

int open_resolve(int dirfd, const char *path, int flags, mode_t mode, uint64_t how) {
  struct open_how h = {.flags = (unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = how};
  for (int tries = 0;; tries++) {
    // EAGAIN: something was renamed or mounted elsewhere while the kernel checked a "..".
    long fd = syscall(SYS_openat2, dirfd, path, &h, sizeof h);
    if (fd >= 0 || errno != EAGAIN || tries == 100) return (int)fd;
  }
}
