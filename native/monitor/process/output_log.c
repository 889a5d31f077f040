// SPDX-License-Identifier: MIT
#include "output_log.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../host/loop.h"
#include "../host/record.h"

#define FLUSH_NS 200000000

// Each half takes half of the limit, as in the file: a half that is pushed out here would be pushed
// out there too.
struct half {
  uint8_t *bytes;
  size_t len;
};

static struct record file;
static struct half older, newer;
static size_t half_size;
static struct source timer = {.fd = -1};
static bool armed;

static void timer_fired(struct source *s, uint32_t events) {
  (void)events;
  uint64_t times;
  if (read(s->fd, &times, sizeof times) > 0) output_log_flush();
}

void output_log_open(const char *dir, uint64_t limit) {
  record_open(&file, dir, "output.log", limit);
  half_size = (size_t)(limit / 2);
  timer = (struct source){
      .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), .events = EPOLLIN, .ready = timer_fired};
  if (timer.fd >= 0) loop_add(&timer);
}

static void arm(void) {
  struct itimerspec soon = {.it_value.tv_nsec = FLUSH_NS};
  armed = timerfd_settime(timer.fd, 0, &soon, NULL) == 0;
}

static void write_half(struct half *h) {
  if (h->len > 0) record_append(&file, NULL, 0, h->bytes, h->len);
  free(h->bytes);
  *h = (struct half){0};
}

void output_log_flush(void) {
  write_half(&older);
  write_half(&newer);
  armed = false;
}

static bool make_room(size_t n) {
  if (newer.len + n > half_size) {
    struct half oldest = older;
    older = newer;
    newer = (struct half){.bytes = oldest.bytes};
  }
  if (newer.bytes == NULL) newer.bytes = malloc(half_size);
  return newer.bytes != NULL && n <= half_size;
}

void output_log_append(const struct vxn_header *h, const uint8_t *payload) {
  if (half_size == 0) return;
  uint8_t head[VXN_HEADER_SIZE];
  vxn_put_header(head, h);
  if (!make_room(sizeof head + h->length)) {
    output_log_flush();
    record_append(&file, head, sizeof head, payload, h->length);
    return;
  }
  memcpy(newer.bytes + newer.len, head, sizeof head);
  memcpy(newer.bytes + newer.len + sizeof head, payload, h->length);
  newer.len += sizeof head + h->length;
  if (!armed) arm();
}
