// SPDX-License-Identifier: MIT
#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "send.h"
#include "watch.h"

#define PORT 53
#define RESOLVERS 4
// Questions that wait for an answer; the oldest gives way.
#define QUESTIONS 256
#define CONNECTIONS 16
// Messages taken in one go, lest a program that floods us keeps everything else waiting.
#define AT_ONCE 64
#define QUESTION_HEADER 2
#define MESSAGE_MIN 12
#define MESSAGE_MAX (VXN_PAYLOAD_MAX - QUESTION_HEADER)
enum { UDP = 0, TCP = 1 };

struct resolver {
  struct watch udp, tcp;
  uint8_t number;
};

struct question {
  uint32_t id;
  struct resolver *resolver;
  struct sockaddr_storage from;
  socklen_t from_len;
};

// One question at a time: the next is read when the answer has been written.
struct connection {
  struct watch watch;
  struct resolver *resolver;
  struct connection *next_dead;
  uint64_t age;
  uint32_t id;  // of the question under way, or 0
  uint8_t *out;
  size_t have, out_len, out_done;
  uint8_t in[2 + MESSAGE_MAX];
};

static struct resolver resolvers[RESOLVERS];
static size_t n_resolvers;
static struct question questions[QUESTIONS];
static struct connection *connections[CONNECTIONS];
static struct connection *dead;
static uint32_t last_id;
static uint64_t clock_;

static uint32_t next_id(void) { return ++last_id == 0 ? ++last_id : last_id; }

static bool ask(uint32_t id, uint8_t transport, uint8_t resolver, const uint8_t *message, size_t len) {
  if (!send_has_room()) return false;
  uint8_t *to = send_reserve(QUESTION_HEADER + len);
  if (to == NULL) return false;
  to[0] = transport;
  to[1] = resolver;
  memcpy(to + QUESTION_HEADER, message, len);
  send_commit(VXN_G_DNS, id, QUESTION_HEADER + len);
  return true;
}

// ---- UDP

static void udp_ready(struct watch *w, uint32_t events) {
  struct resolver *r = WATCH_OWNER(w, struct resolver, udp);
  static uint8_t message[MESSAGE_MAX];
  (void)events;
  for (int i = 0; i < AT_ONCE; i++) {
    struct question q = {.resolver = r, .from_len = sizeof q.from};
    ssize_t n = recvfrom(w->fd, message, sizeof message, 0, (struct sockaddr *)&q.from, &q.from_len);
    if (n < 0) return;
    if (n < MESSAGE_MIN) continue;
    q.id = next_id();
    if (ask(q.id, UDP, r->number, message, (size_t)n)) questions[q.id % QUESTIONS] = q;
  }
}

// ---- TCP

// Events of it may be under way: dns_collect() frees it.
static void close_connection(struct connection *c) {
  for (size_t i = 0; i < CONNECTIONS; i++)
    if (connections[i] == c) connections[i] = NULL;
  watch_close(&c->watch);
  c->next_dead = dead;
  dead = c;
}

void dns_collect(void) {
  while (dead != NULL) {
    struct connection *c = dead;
    dead = c->next_dead;
    free(c->out);
    free(c);
  }
}

// Bytes of the message in front, with its length: 0 when it is not whole yet.
static size_t whole(const struct connection *c) {
  if (c->have < 2) return 0;
  size_t need = 2 + ((size_t)c->in[0] << 8 | c->in[1]);
  return c->have >= need ? need : 0;
}

// False when the connection is of no use any more.
static bool ask_next(struct connection *c) {
  size_t len = whole(c);
  if (c->id != 0 || c->out != NULL) return true;
  if (len == 0) return c->have < sizeof c->in;
  if (len < 2 + MESSAGE_MIN || len > 2 + MESSAGE_MAX) return false;
  uint32_t id = next_id();
  if (!ask(id, TCP, c->resolver->number, c->in + 2, len - 2)) return false;
  c->id = id;
  memmove(c->in, c->in + len, c->have - len);
  c->have -= len;
  return true;
}

static bool write_out(struct connection *c) {
  while (c->out_done < c->out_len) {
    ssize_t n = send(c->watch.fd, c->out + c->out_done, c->out_len - c->out_done, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n < 0) return false;
    c->out_done += (size_t)n;
  }
  free(c->out);
  c->out = NULL;
  return ask_next(c);
}

static bool read_in(struct connection *c) {
  while (c->have < sizeof c->in) {
    ssize_t n = recv(c->watch.fd, c->in + c->have, sizeof c->in - c->have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (n <= 0) return false;
    c->have += (size_t)n;
  }
  return ask_next(c);
}

// Edges of readable and writable: both are tried, since the last one may have come while there was
// no room.
static void connection_ready(struct watch *w, uint32_t events) {
  struct connection *c = WATCH_OWNER(w, struct connection, watch);
  bool alive = (events & (EPOLLERR | EPOLLHUP)) == 0;
  if (alive && c->out != NULL) alive = write_out(c);
  if (alive) alive = read_in(c);
  if (!alive) close_connection(c);
}

static struct connection **free_place(void) {
  struct connection **oldest = connections;
  for (size_t i = 0; i < CONNECTIONS; i++) {
    if (connections[i] == NULL) return &connections[i];
    if (connections[i]->age < (*oldest)->age) oldest = &connections[i];
  }
  close_connection(*oldest);
  return oldest;
}

static void tcp_ready(struct watch *w, uint32_t events) {
  struct resolver *r = WATCH_OWNER(w, struct resolver, tcp);
  (void)events;
  for (int i = 0; i < AT_ONCE; i++) {
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
      close(fd);
      continue;
    }
    c->watch.fd = fd;
    c->resolver = r;
    c->age = ++clock_;
    *free_place() = c;
    if (watch_add(&c->watch, EPOLLIN | EPOLLOUT | EPOLLET, connection_ready) < 0) close_connection(c);
  }
}

static bool answer_connection(struct connection *c, const uint8_t *message, size_t len) {
  c->id = 0;
  if (len == 0 || len > 0xffff || (c->out = malloc(2 + len)) == NULL) return false;
  c->out[0] = (uint8_t)(len >> 8);
  c->out[1] = (uint8_t)len;
  memcpy(c->out + 2, message, len);
  c->out_len = 2 + len;
  c->out_done = 0;
  return write_out(c) && (c->out != NULL || read_in(c));
}

void dns_answer(uint32_t id, const uint8_t *message, size_t len) {
  for (size_t i = 0; i < CONNECTIONS; i++) {
    struct connection *c = connections[i];
    if (c == NULL || c->id != id) continue;
    if (!answer_connection(c, message, len)) close_connection(c);
    return;
  }
  struct question *q = &questions[id % QUESTIONS];
  if (q->id != id || len == 0) return;
  sendto(q->resolver->udp.fd, message, len, 0, (struct sockaddr *)&q->from, q->from_len);
  q->id = 0;
}

// ---- Listening

// A program that serves names itself, on every address, must find the port free: both sides may
// then have it.
static int listen_at(const uint8_t *address, size_t len, int type) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
  memcpy(len == 4 ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr, address, len);
  const struct sockaddr *to = len == 4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
  int on = 1, fd = socket(to->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(fd, to, len == 4 ? sizeof v4 : sizeof v6) == 0 && (type == SOCK_DGRAM || listen(fd, CONNECTIONS) == 0)) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

int dns_listen(const uint8_t *address, size_t len, struct error *e) {
  if (n_resolvers == RESOLVERS || (len != 4 && len != 16)) return fail(e, EINVAL, "too many name servers");
  struct resolver *r = &resolvers[n_resolvers];
  r->number = (uint8_t)n_resolvers;
  r->udp.fd = listen_at(address, len, SOCK_DGRAM);
  r->tcp.fd = r->udp.fd < 0 ? -1 : listen_at(address, len, SOCK_STREAM);
  if (r->tcp.fd < 0 || watch_add(&r->udp, EPOLLIN, udp_ready) < 0 || watch_add(&r->tcp, EPOLLIN, tcp_ready) < 0)
    return fail(e, errno, "listening for the container's name server: %s", errno_text(errno));
  n_resolvers++;
  return 0;
}
