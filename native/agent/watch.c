// SPDX-License-Identifier: MIT
#include "watch.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#define AT_ONCE 64

static int epoll_fd = -1;
static bool stopped;

int watch_open(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  return epoll_fd < 0 ? -1 : 0;
}

int watch_add(struct watch *w, uint32_t events, void (*fn)(struct watch *, uint32_t)) {
  w->fn = fn;
  struct epoll_event ev = {.events = events, .data.ptr = w};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, w->fd, &ev);
}

void watch_close(struct watch *w) {
  // A forked child that has not closed its copy of the descriptor yet would keep the watch alive:
  // end it by name.
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
  close(w->fd);
  w->fd = -1;
}

int watch_turn(int timeout_ms) {
  struct epoll_event events[AT_ONCE];
  int n = epoll_wait(epoll_fd, events, AT_ONCE, timeout_ms);
  for (int i = 0; i < n; i++) {
    struct watch *w = events[i].data.ptr;
    // An earlier event may have closed it.
    if (w->fd >= 0) w->fn(w, events[i].events);
  }
  return n;
}

void watch_stop(void) { stopped = true; }

bool watch_stopped(void) { return stopped; }
