// SPDX-License-Identifier: MIT
#include "store_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// xen/include/public/io/xs_wire.h: four words in the machine's own order, then len bytes.
struct header {
  uint32_t type, request, transaction, len;
};
enum { XS_WATCH = 4, XS_WATCH_EVENT = 15, XS_ERROR = 16 };

static const char *const SOCKETS[] = {"/run/xenstored/socket", "/var/run/xenstored/socket"};
static const char DEVICE[] = "/dev/xen/xenbus";

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return errno = error, -1;
}

int store_watch_open(struct store_watch *w) {
  *w = (struct store_watch){.fd = -1};
  const char *given = getenv("XENSTORED_PATH");
  if (given != NULL) return (w->fd = connect_to(given)) < 0 ? -1 : 0;
  for (size_t i = 0; w->fd < 0 && i < sizeof SOCKETS / sizeof *SOCKETS; i++) w->fd = connect_to(SOCKETS[i]);
  if (w->fd < 0) w->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
  return w->fd < 0 ? -1 : 0;
}

void store_watch_close(struct store_watch *w) {
  if (w->fd >= 0) close(w->fd);
  w->fd = -1;
}

static int write_all(int fd, const void *data, size_t size) {
  for (const uint8_t *at = data; size > 0;) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno != EINTR) return -1;
    if (n > 0) at += n, size -= (size_t)n;
  }
  return 0;
}

static struct header header_of(const struct store_watch *w) {
  struct header h;
  memcpy(&h, w->frame, sizeof h);
  return h;
}

// Reads on until a frame is whole. 1: it is, 0: not now, -1: error or end.
static int read_frame(struct store_watch *w) {
  for (;;) {
    size_t want = sizeof(struct header);
    if (w->have >= want) {
      struct header h = header_of(w);
      if (h.len > sizeof w->frame - sizeof h) return errno = EPROTO, -1;
      want += h.len;
      if (w->have == want) return 1;
    }
    ssize_t n = read(w->fd, w->frame + w->have, want - w->have);
    if (n == 0) return errno = EPIPE, -1;
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0 && errno != EINTR) return -1;
    if (n > 0) w->have += (size_t)n;
  }
}

// The token of an event: its payload is path and token, each with its NUL.
static int token_of(const struct store_watch *w, char token[STORE_TOKEN_SIZE]) {
  struct header h = header_of(w);
  const char *payload = (const char *)w->frame + sizeof h, *end = payload + h.len;
  const char *path_end = memchr(payload, '\0', h.len);
  if (path_end == NULL || path_end + 1 >= end) return errno = EPROTO, -1;
  size_t left = (size_t)(end - path_end - 1);
  const char *token_end = memchr(path_end + 1, '\0', left);
  if (token_end == NULL || token_end - path_end > STORE_TOKEN_SIZE) return errno = EPROTO, -1;
  memcpy(token, path_end + 1, (size_t)(token_end - path_end));
  return 0;
}

static int wait_readable(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int n;
  while ((n = poll(&p, 1, -1)) < 0 && errno == EINTR) continue;
  return n < 0 ? -1 : 0;
}

// The answer to a request; events that come first are put by.
static int answer(struct store_watch *w) {
  for (;;) {
    int got = read_frame(w);
    if (got < 0 || (got == 0 && wait_readable(w->fd) < 0)) return -1;
    if (got <= 0) continue;
    w->have = 0;
    switch (header_of(w).type) {
      case XS_WATCH: return 0;
      case XS_ERROR: return errno = EINVAL, -1;
      case XS_WATCH_EVENT:
        if (w->queued == STORE_QUEUE) return errno = ENOBUFS, -1;
        if (token_of(w, w->queue[w->queued]) < 0) return -1;
        w->queued++;
        break;
      default: return errno = EPROTO, -1;
    }
  }
}

int store_watch_set(struct store_watch *w, const char *path, const char *token) {
  struct header h = {.type = XS_WATCH, .len = (uint32_t)(strlen(path) + strlen(token) + 2)};
  uint8_t request[512];
  if (sizeof h + h.len > sizeof request || strlen(token) >= STORE_TOKEN_SIZE) return errno = EINVAL, -1;
  memcpy(request, &h, sizeof h);
  strcpy((char *)request + sizeof h, path);
  strcpy((char *)request + sizeof h + strlen(path) + 1, token);
  int flags = fcntl(w->fd, F_GETFL);
  if (flags < 0 || fcntl(w->fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return -1;
  if (write_all(w->fd, request, sizeof h + h.len) < 0 || answer(w) < 0) return -1;
  return fcntl(w->fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -1 : 0;
}

int store_watch_next(struct store_watch *w, char token[STORE_TOKEN_SIZE]) {
  if (w->queued > 0) {
    memcpy(token, w->queue[0], STORE_TOKEN_SIZE);
    memmove(w->queue[0], w->queue[1], (size_t)--w->queued * STORE_TOKEN_SIZE);
    return 1;
  }
  for (;;) {
    int got = read_frame(w);
    if (got <= 0) return got;
    w->have = 0;
    if (header_of(w).type != XS_WATCH_EVENT) continue;
    return token_of(w, token) < 0 ? -1 : 1;
  }
}
