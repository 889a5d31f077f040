// SPDX-License-Identifier: MIT
#include "description.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static int fd = -1;
static uint8_t frame[VXN_FRAME_MAX];

bool description_pending(void) { return fd >= 0; }

static bool read_all(uint8_t *to, size_t n) {
  while (n > 0) {
    ssize_t got = read(fd, to, n);
    if (got <= 0) return false;
    to += got;
    n -= (size_t)got;
  }
  return true;
}

static void done(void) {
  close(fd);
  fd = -1;
}

// 1: the next frame, 0: none left, -1: damaged.
static int next_frame(struct vxn_header *h) {
  ssize_t n = read(fd, frame, VXN_HEADER_SIZE);
  if (n == 0) return 0;
  bool whole = n == VXN_HEADER_SIZE && vxn_get_header(frame, h) && vxn_header_ok(VXN_FROM_FILE, h) &&
               read_all(frame + VXN_HEADER_SIZE, h->length);
  return whole ? 1 : -1;
}

int description_open(const char *dir, const struct link *link) {
  char path[256];
  struct vxn_header h;
  snprintf(path, sizeof path, "%s/start.frames", dir);
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  unlink(path);
  // The network can be made while the guest still boots.
  if (next_frame(&h) == 1 && h.type == VXN_M_JOIN) {
    link->send(h.type, h.flags, frame + VXN_HEADER_SIZE, h.length);
    return 0;
  }
  return lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

bool description_send(const struct link *link) {
  struct vxn_header h;
  while (fd >= 0 && link->has_room()) {
    int got = next_frame(&h);
    if (got <= 0 || h.type == VXN_M_JOIN) return done(), got == 0;
    link->send(h.type, h.flags, frame + VXN_HEADER_SIZE, h.length);
  }
  return true;
}
