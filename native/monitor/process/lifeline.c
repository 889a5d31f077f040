// SPDX-License-Identifier: MIT
#include "lifeline.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../host/loop.h"

static struct source src = {.fd = -1};
static void (*on_cut)(void);

static void readable(struct source *s, uint32_t events) {
  char byte;
  (void)events;
  ssize_t n = read(s->fd, &byte, 1);
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
  loop_close(s);
  on_cut();
}

int lifeline_watch(int fd, void (*cut)(void)) {
  on_cut = cut;
  src = (struct source){.fd = fd, .events = EPOLLIN, .ready = readable};
  return loop_add(&src);
}

void lifeline_release(void) { loop_close(&src); }
