// SPDX-License-Identifier: MIT
// Watches of xenstore on a connection of their own, for an event loop. libxenstore's own watches
// need a thread, and work only in its shared library.
#ifndef VXN_STORE_WATCH_H
#define VXN_STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_TOKEN_SIZE = 16, STORE_QUEUE = 16, STORE_FRAME_MAX = 16 + 4096 };

struct store_watch {
  int fd;
  size_t have;
  uint8_t frame[STORE_FRAME_MAX];
  // Events that came while an answer was waited for.
  unsigned queued;
  char queue[STORE_QUEUE][STORE_TOKEN_SIZE];
};

/// Connects to xenstore: to its socket, else to its device. 0, or -1 and errno.
int store_watch_open(struct store_watch *w);

/// Watches a path, and waits until xenstore has said yes. A watch fires once when it is set. 0, or
/// -1 and errno.
int store_watch_set(struct store_watch *w, const char *path, const char *token);

/// The token of the next watch that has fired. 1: there is one, 0: not now (the descriptor does not
/// block), -1: the connection is lost.
int store_watch_next(struct store_watch *w, char token[STORE_TOKEN_SIZE]);

void store_watch_close(struct store_watch *w);

#endif
