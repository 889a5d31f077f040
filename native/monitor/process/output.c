// SPDX-License-Identifier: MIT
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>


#define RING VXN_OUTPUT_WINDOW
#define PIPE_BYTES (1 << 20)

static ssize_t put(struct output *o, const void *data, size_t len) {
  ssize_t n;
  do {
    n = o->socket ? send(o->src.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(o->src.fd, data, len);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) return n;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
  return -1;
}

static void give_up(struct output *o) {
  o->broken = true;
  o->owed += (uint32_t)o->len;
  o->len = 0;
  free(o->ring);
  o->ring = NULL;
  loop_close(&o->src);
}

static void passed_on(struct output *o, size_t n) {
  o->head = (o->head + n) % RING;
  o->len -= n;
  o->owed += (uint32_t)n;
  if (o->len > 0) return;
  free(o->ring);
  o->ring = NULL;
  o->head = 0;
}

static void flush(struct output *o) {
  while (o->len > 0) {
    size_t run = o->head + o->len > RING ? RING - o->head : o->len;
    ssize_t n = put(o, o->ring + o->head, run);
    if (n < 0) {
      give_up(o);
      return;
    }
    if (n == 0) break;
    passed_on(o, (size_t)n);
  }
  loop_set(&o->src, o->len > 0 ? EPOLLOUT : 0);
}

static void writable(struct source *s, uint32_t events) {
  (void)events;
  flush((struct output *)s);
}

// An open file description of our own, so that O_NONBLOCK does not reach others who hold the same
// one, such as a user's shell on the same terminal.
static int reopen(int fd) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void output_open(struct output *o, int fd, uint32_t stream) {
  *o = (struct output){.src = {.fd = -1, .ready = writable}, .stream = stream, .window = VXN_OUTPUT_WINDOW};
  struct stat st;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &st) < 0) {
    o->broken = true;
    return;
  }
  o->socket = S_ISSOCK(st.st_mode);
  // A large pipe makes a fast program wait less often for a slow reader. Only root may ask for it;
  // a small one works too.
  if (S_ISFIFO(st.st_mode)) fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
  bool own = S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode);
  o->src.fd = own ? reopen(fd) : fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (o->src.fd < 0 && own) o->src.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  // Registered with the loop, then paused: it is waited for only while the reader is slower than
  // the guest.
  o->src.events = EPOLLOUT;
  if (o->src.fd < 0 || loop_add(&o->src) < 0) {
    o->broken = true;
    return;
  }
  loop_set(&o->src, 0);
}

bool output_write(struct output *o, const uint8_t *data, size_t len) {
  if (len > o->window) return false;
  o->window -= (uint32_t)len;
  if (!o->broken && o->len == 0) {
    ssize_t n = put(o, data, len);
    if (n < 0) {
      give_up(o);
    } else {
      data += n;
      len -= (size_t)n;
      o->owed += (uint32_t)n;
    }
  }
  if (!o->broken && len > 0 && o->ring == NULL && (o->ring = malloc(RING)) == NULL) give_up(o);
  if (o->broken) {
    o->owed += (uint32_t)len;
    return true;
  }
  // The window equals the ring's size, so bytes within the window always fit.
  while (len > 0) {
    size_t tail = (o->head + o->len) % RING;
    size_t run = RING - tail < len ? RING - tail : len;
    memcpy(o->ring + tail, data, run);
    o->len += run;
    data += run;
    len -= run;
  }
  if (o->len > 0) loop_set(&o->src, EPOLLOUT);
  return true;
}

void output_credit(struct output *o, const struct link *link) {
  if (o->owed < VXN_OUTPUT_WINDOW / 4) return;
  uint8_t payload[8];
  vxn_put32(payload, o->stream);
  vxn_put32(payload + 4, o->owed);
  if (!link->send(VXN_H_CREDIT, 0, payload, sizeof payload)) return;
  o->window += o->owed;
  o->owed = 0;
}

bool output_idle(const struct output *o) { return o->len == 0; }
