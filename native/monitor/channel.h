// SPDX-License-Identifier: MIT
// The byte stream to the guest: a vchan ring, or a unix socket in tests. Never blocks.
#ifndef VXN_CHANNEL_H
#define VXN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Connects to the vchan that domain domid serves at xenstore path. 0, or -1 with errno.
int channel_open_vchan(uint32_t domid, const char *path);

/// Connects to a unix stream socket. 0, or -1 with errno.
int channel_open_unix(const char *path);

/// The descriptor to wait on: readable when there may be something to read or room to write.
int channel_fd(void);

/// Takes note of a wake-up; call it when channel_fd() was readable, before read and write.
void channel_woken(void);

/// Bytes read, 0: none now, -1: the stream is over (all that was sent before has been read).
ssize_t channel_read(void *buf, size_t size);

/// Bytes written, 0: no room now, -1: the peer is gone.
ssize_t channel_write(const void *buf, size_t size);

/// True when room to write must be asked of epoll (a socket) rather than comes as a wake-up (a ring).
bool channel_polls_out(void);

void channel_close(void);

#endif
