// SPDX-License-Identifier: MIT
#include "start.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "../common/protocol.h"
#include "guest.h"

static int fd = -1;

int start_open(const char *path) {
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  unlink(path);
  return 0;
}

bool start_pending(void) { return fd >= 0; }

static bool belongs_there(const struct vxn_header *h) {
  return h->type == VXN_H_CONTAINER || h->type == VXN_H_PROCESS || h->type == VXN_H_FILE || h->type == VXN_H_FILE_DATA ||
         h->type == VXN_H_NETWORK;
}

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

bool start_pump(void) {
  static uint8_t frame[VXN_FRAME_MAX];
  while (fd >= 0 && guest_has_room()) {
    ssize_t n = read(fd, frame, VXN_HEADER_SIZE);
    if (n == 0) return done(), true;
    struct vxn_header h;
    if (n != VXN_HEADER_SIZE || !vxn_get_header(frame, &h) || !belongs_there(&h) ||
        !read_all(frame + VXN_HEADER_SIZE, h.length))
      return done(), false;
    guest_send(h.type, h.flags, h.id, frame + VXN_HEADER_SIZE, h.length);
  }
  return true;
}
