// SPDX-License-Identifier: MIT
#include "transport.h"

#include <errno.h>
#include <libxenvchan.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct vchan_transport {
  struct vxn_transport t;
  struct libxenvchan *chan;
};

static struct libxenvchan *chan_of(struct vxn_transport *t) { return ((struct vchan_transport *)t)->chan; }

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

static void vchan_close(struct vxn_transport *t) {
  libxenvchan_close(chan_of(t));
  free(t);
}

static struct vxn_transport *wrap(struct libxenvchan *chan) {
  if (chan == NULL) {
    if (errno == 0) errno = ENODEV;
    return NULL;
  }
  struct vchan_transport *v = calloc(1, sizeof *v);
  if (v == NULL) {
    libxenvchan_close(chan);
    errno = ENOMEM;
    return NULL;
  }
  chan->blocking = 0;  // the library leaves it uninitialised
  v->chan = chan;
  v->t.fd = libxenvchan_fd_for_select(chan);
  v->t.events = EPOLLIN;
  v->t.read = vchan_read;
  v->t.write = vchan_write;
  v->t.ack = vchan_ack;
  v->t.close = vchan_close;
  return &v->t;
}

struct vxn_transport *vxn_transport_vchan_server(const char *path, size_t read_ring, size_t write_ring) {
  errno = 0;
  return wrap(libxenvchan_server_init(NULL, 0, path, read_ring, write_ring));
}

struct vxn_transport *vxn_transport_vchan_client(int domid, const char *path) {
  errno = 0;
  return wrap(libxenvchan_client_init(NULL, domid, path));
}
