// SPDX-License-Identifier: MIT
#include "guest.h"

#include <string.h>
#include <sys/epoll.h>

#include "channel.h"
#include "loop.h"

#define QUEUE (2 * VXN_FRAME_MAX)
// A round of reading ends here, so that a flooding guest leaves signals and the control socket their turn.
#define ROUND (1u << 20)

static struct guest_events on;
static struct source src = {.fd = -1};
static struct vxn_parser parser;
static uint8_t queue[QUEUE];
static size_t queued;
static bool open_, unread;

static void finish(vxn_fault why) {
  if (!open_) return;
  open_ = false;
  loop_set(&src, 0);  // its hang-up would be reported again and again
  on.closed(why);
}

static bool read_round(void) {
  size_t total = 0;
  while (open_ && total < ROUND) {
    size_t size;
    uint8_t *room = vxn_parser_room(&parser, &size);
    ssize_t n = channel_read(room, size);
    if (n == 0) return false;
    if (n < 0) {
      finish(NULL);
      return false;
    }
    total += (size_t)n;
    vxn_fault fault = vxn_parser_took(&parser, (size_t)n, on.frame, NULL);
    if (fault != NULL) finish(fault);
  }
  return open_;
}

static void woken(struct source *s, uint32_t events) {
  (void)s, (void)events;
  channel_woken();
  unread = true;
}

int guest_attach(const struct guest_events *events) {
  on = *events;
  vxn_parser_init(&parser, true);
  src = (struct source){.fd = channel_fd(), .events = EPOLLIN, .ready = woken};
  if (loop_add(&src) < 0) return -1;
  open_ = true;
  unread = true;
  return 0;
}

bool guest_has_room(void) { return open_ && queued + VXN_FRAME_MAX + 4096 <= QUEUE; }

bool guest_send(uint16_t type, uint16_t flags, uint32_t id, const void *payload, uint32_t length) {
  if (!open_ || queued + VXN_HEADER_SIZE + length > QUEUE) return false;
  vxn_put_header(queue + queued, &(struct vxn_header){type, flags, id, length});
  if (length > 0) memcpy(queue + queued + VXN_HEADER_SIZE, payload, length);
  queued += VXN_HEADER_SIZE + length;
  return true;
}

void guest_receive(void) {
  if (unread) unread = read_round();
  if (unread) loop_again();
}

void guest_flush(void) {
  size_t sent = 0;
  while (open_ && sent < queued) {
    ssize_t n = channel_write(queue + sent, queued - sent);
    if (n < 0) {
      finish(NULL);
      return;
    }
    if (n == 0) break;
    sent += (size_t)n;
  }
  memmove(queue, queue + sent, queued - sent);
  queued -= sent;
  if (open_ && channel_polls_out()) loop_set(&src, queued > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void guest_drain(void) {
  while (open_ && read_round()) continue;
}
