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
static struct timer *timers;  // those that are armed

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

void timer_cancel(struct timer *t) {
  for (struct timer **p = &timers; *p != NULL; p = &(*p)->next) {
    if (*p != t) continue;
    *p = t->next;
    break;
  }
  t->armed = false;
}

void timer_set(struct timer *t, int ms, void (*fire)(void)) {
  if (!t->armed) {
    t->next = timers;
    timers = t;
  }
  t->armed = true;
  t->fire = fire;
  t->at = now_ms() + ms;
}

static struct timer *first_due(int64_t now) {
  for (struct timer *t = timers; t != NULL; t = t->next)
    if (t->at <= now) return t;
  return NULL;
}

static void fire_timers(void) {
  if (timers == NULL) return;
  int64_t now = now_ms();
  for (struct timer *t; (t = first_due(now)) != NULL;) {
    timer_cancel(t);
    t->fire();
  }
}

static int wait_ms(void) {
  if (again) return 0;
  for (int i = 0; i < ALWAYS_MAX; i++)
    if (always[i] != NULL && always[i]->events != 0) return 0;
  if (timers == NULL) return -1;
  int64_t soonest = timers->at;
  for (struct timer *t = timers->next; t != NULL; t = t->next)
    if (t->at < soonest) soonest = t->at;
  int64_t left = soonest - now_ms();
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
    fire_timers();
    after();
  }
}
