// SPDX-License-Identifier: MIT
#include "requests.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../host/gate.h"
#include "../host/loop.h"
#include "../host/whole_file.h"
#include "../xen/domain.h"

static struct source src = {.fd = -1};
static const char *dir;
static void (*on_frame)(const struct vxn_header *h, const uint8_t *payload);
static uint8_t buffer[2 * PIPE_BUF];
static size_t have;

// Anybody in Dom0 can pause the domain, and no event tells of it: Xen is asked each time.
static void answer_paused(uint32_t asker) {
  char name[32];
  int paused = domain_paused();
  snprintf(name, sizeof name, "paused.%" PRIu32, asker);
  if (paused >= 0) whole_file(dir, name, paused ? "1" : "0");
}

// Passes whole frames on. Bytes that cannot begin a frame are dropped with everything that came
// along: the writers are root's, but a writer of another version may be among them.
static void pass_on(void) {
  size_t at = 0;
  while (have - at >= VXN_HEADER_SIZE) {
    struct vxn_header h;
    if (!vxn_get_header(buffer + at, &h) || !vxn_header_ok(VXN_FROM_FIFO, &h) || VXN_HEADER_SIZE + h.length > PIPE_BUF) {
      have = 0;
      return;
    }
    if (have - at < VXN_HEADER_SIZE + h.length) break;
    if (h.type == VXN_M_PAUSED)
      answer_paused(h.id);
    else
      on_frame(&h, buffer + at + VXN_HEADER_SIZE);
    at += VXN_HEADER_SIZE + h.length;
  }
  memmove(buffer, buffer + at, have - at);
  have -= at;
}

static void readable(struct source *s, uint32_t events) {
  (void)events;
  ssize_t n;
  while ((n = read(s->fd, buffer + have, sizeof buffer - have)) > 0) {
    have += (size_t)n;
    pass_on();
  }
}

int requests_open(const char *domain_dir, void (*frame)(const struct vxn_header *h, const uint8_t *payload)) {
  dir = domain_dir;
  on_frame = frame;
  src = (struct source){.fd = gate_open(dir, "requests"), .events = EPOLLIN, .ready = readable};
  return src.fd < 0 ? -1 : loop_add(&src);
}
