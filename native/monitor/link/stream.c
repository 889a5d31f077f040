// SPDX-License-Identifier: MIT
#include "stream.h"

#include <string.h>
#include <sys/epoll.h>

// A round of reading ends here, so that a flooding peer leaves signals and the control socket their
// turn.
#define ROUND (1u << 20)
#define SMALL_FRAMES 4096  // reserve in the queue

static void finish(struct stream *s, vxn_fault why) {
  if (!s->open) return;
  s->open = false;
  loop_set(&s->src, 0);  // its hang-up would be reported again and again
  s->on.closed(why);
}

// True when there is more to read.
static bool read_round(struct stream *s) {
  size_t total = 0;
  while (s->open && total < ROUND) {
    size_t size;
    uint8_t *room = vxn_parser_room(&s->parser, &size);
    ssize_t n = s->transport->read(s->transport, room, size);
    if (n == 0) return false;
    if (n < 0) {
      finish(s, NULL);
      return false;
    }
    total += (size_t)n;
    vxn_fault fault = vxn_parser_took(&s->parser, (size_t)n, s->on.frame, NULL);
    if (fault != NULL) finish(s, fault);
  }
  return s->open;
}

static void woken(struct source *src, uint32_t events) {
  struct stream *s = (struct stream *)src;
  (void)events;
  s->transport->ack(s->transport);
  s->unread = true;
}

int stream_open(struct stream *s, struct vxn_transport *t, const struct stream_events *events) {
  s->transport = t;
  s->on = *events;
  s->queued = 0;
  vxn_parser_init(&s->parser, VXN_FROM_GUEST);
  s->src = (struct source){.fd = t->fd, .events = EPOLLIN, .ready = woken};
  if (loop_add(&s->src) < 0) return -1;
  s->open = s->unread = true;
  return 0;
}

bool stream_has_room(const struct stream *s) {
  return s->open && s->queued + VXN_FRAME_MAX + SMALL_FRAMES <= STREAM_QUEUE;
}

bool stream_send(struct stream *s, const struct vxn_header *h, const void *payload) {
  if (!s->open || s->queued + VXN_HEADER_SIZE + h->length > STREAM_QUEUE) return false;
  uint8_t *to = s->queue + s->queued;
  vxn_put_header(to, h);
  if (h->length > 0) memcpy(to + VXN_HEADER_SIZE, payload, h->length);
  s->queued += VXN_HEADER_SIZE + h->length;
  return true;
}

void stream_receive(struct stream *s) {
  if (s->unread) s->unread = read_round(s);
  if (s->unread) loop_again();
}

// Sends the beginning of the queue, as much as there is room for.
static void push(struct stream *s) {
  ssize_t n = s->transport->write(s->transport, s->queue, s->queued);
  if (n < 0) {
    finish(s, NULL);
    return;
  }
  s->queued -= (size_t)n;
  memmove(s->queue, s->queue + n, s->queued);
}

// Asks to be woken by room to write while something is queued. A vchan wakes without being asked.
static void await_room(struct stream *s) {
  uint32_t room = s->queued > 0 ? s->transport->events & EPOLLOUT : 0;
  loop_set(&s->src, EPOLLIN | room);
}

void stream_flush(struct stream *s) {
  if (!s->open) return;
  bool full = !stream_has_room(s);
  if (s->queued > 0) push(s);
  if (!s->open) return;
  await_room(s);
  if (full && stream_has_room(s)) loop_again();
}

void stream_drain(struct stream *s) {
  while (s->open && read_round(s)) continue;
}
