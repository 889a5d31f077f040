// SPDX-License-Identifier: MIT
#include "transport.h"

#include <errno.h>
#include <libxenvchan.h>
#include <sys/epoll.h>

static struct libxenvchan *chan_of(struct vxn_transport *t) { return t->handle; }

// The library asks the peer for a wake-up exactly when it answers with less than was asked for.
static ssize_t vchan_read(struct vxn_transport *t, void *buf, size_t size) {
  int n = libxenvchan_read(chan_of(t), buf, size);
  if (n < 0) errno = EPIPE;
  return n;
}

static ssize_t vchan_write(struct vxn_transport *t, const void *buf, size_t size) {
  size_t done = 0;
  while (done < size) {
    int n = libxenvchan_write(chan_of(t), (const char *)buf + done, size - done);
    if (n < 0) {
      errno = EPIPE;
      return -1;
    }
    if (n == 0) break;
    done += (size_t)n;
  }
  return (ssize_t)done;
}

// Takes the event and unmasks its port; without that no other event ever arrives.
static int vchan_ack(struct vxn_transport *t) { return libxenvchan_wait(chan_of(t)); }

static void vchan_close(struct vxn_transport *t) { libxenvchan_close(chan_of(t)); }

static int wrap(struct vxn_transport *t, struct libxenvchan *chan) {
  if (chan == NULL) {
    if (errno == 0) errno = ENODEV;
    return -1;
  }
  chan->blocking = 0;  // the library leaves it uninitialised
  *t = (struct vxn_transport){
      .fd = libxenvchan_fd_for_select(chan),
      .events = EPOLLIN,
      .handle = chan,
      .read = vchan_read,
      .write = vchan_write,
      .ack = vchan_ack,
      .close = vchan_close,
  };
  return 0;
}

int vxn_transport_vchan_server(struct vxn_transport *t, const char *path, size_t read_ring, size_t write_ring) {
  errno = 0;
  return wrap(t, libxenvchan_server_init(NULL, 0, path, read_ring, write_ring));
}

int vxn_transport_vchan_client(struct vxn_transport *t, int domid, const char *path) {
  errno = 0;
  return wrap(t, libxenvchan_client_init(NULL, domid, path));
}
