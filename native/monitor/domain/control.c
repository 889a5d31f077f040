// SPDX-License-Identifier: MIT
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../host/loop.h"

#define OUT_MAX (1u << 20)

struct client {
  struct source src;
  struct client *next;
  pid_t pid;
  bool stuck;   // holds a whole frame that could not be taken yet
  bool doomed;  // takes nothing: about to be dropped
  // Without data while they are empty, as most are most of the time.
  struct buffer {
    uint8_t *data;
    size_t len, cap;
  } in, out;
};

#define ROUGH 4096

static struct source listener = {.fd = -1};
// Given up for a moment when there is no other descriptor, so that a client is turned away instead
// of left waiting.
static int spare_fd = -1;
static struct control_events on;
static struct client *clients;

static void empty(struct buffer *b) {
  free(b->data);
  *b = (struct buffer){0};
}

// Makes room for len bytes in all. False without memory.
static bool reserve(struct buffer *b, size_t len) {
  if (len <= b->cap) return true;
  size_t cap = len < ROUGH ? ROUGH : len;
  uint8_t *data = realloc(b->data, cap);
  if (data == NULL) return false;
  b->data = data;
  b->cap = cap;
  return true;
}

static void drop(struct client *c) {
  for (struct client **p = &clients; *p != NULL; p = &(*p)->next) {
    if (*p != c) continue;
    *p = c->next;
    break;
  }
  loop_close(&c->src);
  on.gone(c);
  empty(&c->in);
  empty(&c->out);
  free(c);
}

static void want(struct client *c) {
  loop_set(&c->src, (c->stuck ? 0 : EPOLLIN) | (c->out.len > 0 ? EPOLLOUT : 0) | EPOLLRDHUP);
}

static bool flush(struct client *c) {
  size_t sent = 0;
  while (sent < c->out.len) {
    ssize_t n = send(c->src.fd, c->out.data + sent, c->out.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (n < 0) return false;
    sent += (size_t)n;
  }
  if (sent == c->out.len) {
    empty(&c->out);
    return true;
  }
  memmove(c->out.data, c->out.data + sent, c->out.len - sent);
  c->out.len -= sent;
  return true;
}

// Reads no further than the end of the frame under way, so that a frame that cannot be taken stops
// its sender.
static bool read_frames(struct client *c) {
  for (;;) {
    struct vxn_header h = {0};
    size_t want_bytes = VXN_HEADER_SIZE;
    if (c->in.len >= VXN_HEADER_SIZE) {
      if (!vxn_get_header(c->in.data, &h) || !vxn_header_ok(VXN_FROM_CLIENT, &h)) return false;
      want_bytes += h.length;
    }
    if (c->in.len == want_bytes && c->in.len >= VXN_HEADER_SIZE) {
      c->stuck = !on.frame(c, &h, c->in.data + VXN_HEADER_SIZE);
      if (c->stuck) return true;
      c->in.len = 0;
      continue;
    }
    if (!reserve(&c->in, want_bytes)) return false;
    ssize_t n = recv(c->src.fd, c->in.data + c->in.len, want_bytes - c->in.len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (c->in.len == 0) empty(&c->in);
      return true;
    }
    if (n <= 0) return false;
    c->in.len += (size_t)n;
  }
}

static void client_ready(struct source *s, uint32_t events) {
  struct client *c = (struct client *)s;
  bool alive = true;
  if (events & EPOLLOUT) alive = flush(c);
  if (alive && !c->stuck && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) alive = read_frames(c);
  if (alive && c->stuck && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) alive = false;
  if (alive)
    want(c);
  else
    drop(c);
}

static void turn_away(int listen_fd) {
  close(spare_fd);
  int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) close(fd);
  spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_client(struct source *s, uint32_t events) {
  (void)events;
  int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) turn_away(s->fd);
  if (fd < 0) return;
  struct client *c = calloc(1, sizeof *c);
  if (c == NULL) {
    close(fd);
    return;
  }
  c->src = (struct source){.fd = fd, .events = EPOLLIN | EPOLLRDHUP, .ready = client_ready};
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) c->pid = peer.pid;
  c->next = clients;
  clients = c;
  if (loop_add(&c->src) < 0) drop(c);
}

int control_listen(const char *dir, const struct control_events *events) {
  on = *events;
  char path[256];
  snprintf(path, sizeof path, "%s/control.sock", dir);
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(a.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  mode_t old = umask(0077);
  int rc = bind(fd, (struct sockaddr *)&a, sizeof a);
  umask(old);
  spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  listener = (struct source){.fd = fd, .events = EPOLLIN, .ready = accept_client};
  if (rc == 0 && listen(fd, 64) == 0 && loop_add(&listener) == 0) return 0;
  int saved = errno;
  close(fd);
  listener.fd = -1;
  errno = saved;
  return -1;
}

pid_t control_pid(const struct client *c) { return c->pid; }

void control_send(struct client *c, uint16_t type, uint32_t id, const void *payload, uint32_t length) {
  struct buffer *out = &c->out;
  size_t need = out->len + VXN_HEADER_SIZE + length;
  if (c->doomed) return;
  if (need > OUT_MAX || !reserve(out, need)) {
    // The frame that finds no room could be an answer or an end that the client waits for.
    c->doomed = true;
    shutdown(c->src.fd, SHUT_RDWR);
    return;
  }
  vxn_put_header(out->data + out->len, &(struct vxn_header){type, 0, id, length});
  if (length > 0) memcpy(out->data + out->len + VXN_HEADER_SIZE, payload, length);
  out->len = need;
  flush(c);  // a broken connection shows as a hang-up in the loop
  want(c);
}

void control_retry(void) {
  for (struct client *c = clients, *next; c != NULL; c = next) {
    next = c->next;
    if (!c->stuck) continue;
    c->stuck = false;
    if (read_frames(c))
      want(c);
    else
      drop(c);
  }
}

void control_drain(void) {
  for (struct client *c = clients; c != NULL; c = c->next) {
    struct pollfd p = {.fd = c->src.fd, .events = POLLOUT};
    while (c->out.len > 0 && poll(&p, 1, 1000) == 1 && flush(c)) continue;
  }
}
