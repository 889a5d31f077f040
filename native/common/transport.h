// SPDX-License-Identifier: MIT
// The byte stream under the guest channel: a unix socket, or either side of a vchan. Once it is
// open, nothing blocks.
//
// How to drive one: watch `fd` with `events`; after each wake-up call ack(), then read() until it
// answers 0, and write() until it takes less than all. Both answers re-arm the wake-up, so a caller
// that stops earlier has to come back by itself.
//
// A loop without edges leaves EPOLLET out, and asks for EPOLLOUT only while it has something to
// write. Where `events` has no EPOLLOUT (a vchan), room to write comes as a wake-up too.
#ifndef VXN_TRANSPORT_H
#define VXN_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vxn_transport {
  int fd;
  uint32_t events;  ///< for epoll
  void *handle;     ///< of the side that implements it
  /// Bytes read, 0 when there are none now, -1 with errno when the peer is gone and everything it
  /// sent was read.
  ssize_t (*read)(struct vxn_transport *t, void *buf, size_t size);
  /// Bytes taken (fewer than size: no more room now), or -1 with errno when the peer is gone.
  ssize_t (*write)(struct vxn_transport *t, const void *buf, size_t size);
  /// Consumes the wake-up. To be called only when fd is ready: a vchan would block.
  int (*ack)(struct vxn_transport *t);
  void (*close)(struct vxn_transport *t);
};

// Each function below opens *t, which is the caller's memory until close(): a program that is to
// stay small does not get a heap for it.

/// Takes over fd, a connected stream socket. 0, or -1 with errno; fd stays the caller's then.
int vxn_transport_socket(struct vxn_transport *t, int fd);

/// Connects to the unix stream socket at path. 0, or -1 with errno: ENAMETOOLONG for a path of 108
/// bytes or more.
int vxn_transport_unix(struct vxn_transport *t, const char *path);

#ifndef VXN_NO_XEN
/// Offers a vchan to Dom0 under `path` (below the domain's own xenstore home). 0, or -1 with errno.
int vxn_transport_vchan_server(struct vxn_transport *t, const char *path, size_t read_ring, size_t write_ring);

/// Connects to the vchan that domain domid offers under `path` (absolute, in xenstore). 0, or -1
/// with errno.
int vxn_transport_vchan_client(struct vxn_transport *t, int domid, const char *path);
#endif

#endif
