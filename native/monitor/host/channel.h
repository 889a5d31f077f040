// SPDX-License-Identifier: MIT
// A byte stream that never blocks: a vchan ring (xen/channel_vchan.c) or a unix socket.
#ifndef VXN_CHANNEL_H
#define VXN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct channel {
  /// The descriptor to wait on: readable when there may be something to read or room to write.
  int fd;
  /// True when room to write must be asked of epoll (a socket) rather than comes as a wake-up (a
  /// ring).
  bool polls_out;
  /// Takes note of a wake-up; to be called when fd was readable, before read and write. NULL: not
  /// needed.
  void (*woken)(void);
  /// Bytes read, 0: none now, -1: the stream is over and all that was sent before has been read.
  ssize_t (*read)(const struct channel *c, void *buf, size_t size);
  /// Bytes written, 0: no room now, -1: the peer is gone.
  ssize_t (*write)(const struct channel *c, const void *buf, size_t size);
};

/// Connects to the unix stream socket at path. 0, or -1 with errno.
int channel_open_unix(struct channel *c, const char *path);

#endif
