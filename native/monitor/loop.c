// SPDX-License-Identifier: MIT
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16
#define ALWAYS_MAX 4

static int epfd = -1;
static bool stopped, again;
static struct source *always[ALWAYS_MAX];
static struct epoll_event batch[BATCH];
static int batch_size;
static int64_t timer_at = -1;
static void (*timer_fn)(void);

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int loop_add(struct source *s) {
  if (epfd < 0 && (epfd = epoll_create1(EPOLL_CLOEXEC)) < 0) return -1;
  struct epoll_event e = {.events = s->events, .data.ptr = s};
  s->always = false;
  if (epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &e) == 0) return 0;
  if (errno != EPERM) return -1;
  for (int i = 0; i < ALWAYS_MAX; i++) {
    if (always[i] != NULL) continue;
    always[i] = s;
    s->always = true;
    return 0;
  }
  errno = ENOSPC;
  return -1;
}

void loop_set(struct source *s, uint32_t events) {
  if (s->events == events || s->fd < 0) return;
  uint32_t before = s->events;
  s->events = events;
  if (s->always) return;
  struct epoll_event e = {.events = events, .data.ptr = s};
  // A source that waits for nothing is taken out: epoll would report its hang-up again and again.
  if (events == 0)
    epoll_ctl(epfd, EPOLL_CTL_DEL, s->fd, NULL);
  else
    epoll_ctl(epfd, before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s->fd, &e);
}

void loop_close(struct source *s) {
  if (s->fd < 0) return;
  if (s->always) {
    for (int i = 0; i < ALWAYS_MAX; i++)
      if (always[i] == s) always[i] = NULL;
  } else if (s->events != 0) {
    epoll_ctl(epfd, EPOLL_CTL_DEL, s->fd, NULL);
  }
  for (int i = 0; i < batch_size; i++)
    if (batch[i].data.ptr == s) batch[i].data.ptr = NULL;
  close(s->fd);
  s->fd = -1;
  s->events = 0;
}

void loop_timer(int ms, void (*fn)(void)) {
  timer_at = ms < 0 ? -1 : now_ms() + ms;
  timer_fn = fn;
}

static int wait_ms(void) {
  if (again) return 0;
  for (int i = 0; i < ALWAYS_MAX; i++)
    if (always[i] != NULL && always[i]->events != 0) return 0;
  if (timer_at < 0) return -1;
  int64_t left = timer_at - now_ms();
  return left < 0 ? 0 : (int)left;
}

void loop_stop(void) { stopped = true; }

void loop_again(void) { again = true; }

void loop_run(void (*after)(void)) {
  while (!stopped) {
    batch_size = epoll_wait(epfd, batch, BATCH, wait_ms());
    again = false;
    for (int i = 0; i < batch_size; i++) {
      struct source *s = batch[i].data.ptr;
      if (s != NULL) s->ready(s, batch[i].events);
    }
    batch_size = 0;
    for (int i = 0; i < ALWAYS_MAX; i++)
      if (always[i] != NULL && always[i]->events != 0) always[i]->ready(always[i], always[i]->events);
    if (timer_at >= 0 && now_ms() >= timer_at) {
      timer_at = -1;
      timer_fn();
    }
    after();
  }
}
