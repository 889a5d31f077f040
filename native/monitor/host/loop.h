// SPDX-License-Identifier: MIT
// One epoll loop. A source embeds struct source. Its fd may be one that epoll refuses (a regular
// file, /dev/null): such a source counts as always ready.
#ifndef VXN_LOOP_H
#define VXN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct source {
  int fd;
  uint32_t events;  // EPOLLIN | EPOLLOUT that are waited for now
  bool always;      // not pollable
  void (*ready)(struct source *s, uint32_t events);
};

/// Starts watching s->fd for s->events. 0, or -1 with errno.
int loop_add(struct source *s);

/// Changes the events waited for. 0 pauses the source: a hang-up is then not reported either.
void loop_set(struct source *s, uint32_t events);

/// Stops watching and closes the fd.
void loop_close(struct source *s);

/// Waits for events and calls their sources, then after(), until loop_stop() was called.
void loop_run(void (*after)(void));
void loop_stop(void);

/// The next wait does not block: there is work left over.
void loop_again(void);

struct timer {
  void (*fire)(void);
  int64_t at;  // milliseconds of CLOCK_MONOTONIC
  bool armed;
  struct timer *next;
};

/// Calls fire once, ms milliseconds from now. A timer that is armed already is set anew.
void timer_set(struct timer *t, int ms, void (*fire)(void));

/// Disarms the timer.
void timer_cancel(struct timer *t);

#endif
