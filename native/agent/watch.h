// SPDX-License-Identifier: MIT
// The epoll loop's descriptors, and the wish to end the loop. One thread; no function that a watch
// calls may wait.
#ifndef VXN_AGENT_WATCH_H
#define VXN_AGENT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A file descriptor in the loop.
struct watch {
  int fd;  ///< -1: closed
  void (*fn)(struct watch *w, uint32_t events);
};

/// The address of the structure that holds the watch w as its member `member`.
#define WATCH_OWNER(w, type, member) ((type *)(void *)((char *)(w) - offsetof(type, member)))

/// To be called before the first watch. 0, or -1 with errno.
int watch_open(void);

/// Calls fn with the events (EPOLL*) that w->fd has from now on. 0, or -1 with errno; the
/// descriptor stays open then.
int watch_add(struct watch *w, uint32_t events, void (*fn)(struct watch *, uint32_t));

/// Ends the watch and closes its descriptor. The structure must live until watch_turn() has
/// returned.
void watch_close(struct watch *w);

/// Waits for events, at most timeout_ms milliseconds (-1: without end), and serves them. Returns
/// how many there were; -1 with errno.
int watch_turn(int timeout_ms);

/// The loop is to end after this turn.
void watch_stop(void);

/// True after watch_stop().
bool watch_stopped(void);

#endif
