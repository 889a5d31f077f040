// SPDX-License-Identifier: MIT
#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../host/loop.h"
#include "guest.h"

// Questions at one time. A question without an answer stays until its place is needed.
#define QUERIES 64
#define PORT 53
#define QUERY_HEADER 2u
#define TCP 1
#define TCP_HEADER 2u
#define MESSAGE_MAX (VXN_PAYLOAD_MAX - QUERY_HEADER)

struct query {
  struct source src;
  uint32_t id;
  uint64_t age;
  bool used, tcp, held;  // held: an answer waits for room in the channel
  uint8_t *data;         // TCP: the question, then the answer, each with its length in front
  size_t done, size;
};

static struct sockaddr_storage resolvers[DNS_RESOLVERS];
static size_t n_resolvers;
static struct query queries[QUERIES];
static uint64_t clock_;
static uint8_t answer[VXN_PAYLOAD_MAX];

int dns_add_resolver(const uint8_t *address, size_t len) {
  if (n_resolvers == DNS_RESOLVERS) return -1;
  struct sockaddr_storage *s = &resolvers[n_resolvers];
  memset(s, 0, sizeof *s);
  if (len == 4 && address[0] == 127) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    memcpy(&a.sin_addr, address, len);
    memcpy(s, &a, sizeof a);
  } else if (len == 16 && memcmp(address, &in6addr_loopback, len) == 0) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};
    memcpy(s, &a, sizeof a);
  } else {
    return -1;
  }
  n_resolvers++;
  return 0;
}

static void drop(struct query *q) {
  loop_close(&q->src);
  free(q->data);
  *q = (struct query){.src.fd = -1};
}

// Over TCP an empty answer tells the guest to close the connection. Over UDP the asker gives up by
// itself.
static void no_answer(struct query *q) {
  if (q->tcp && guest_has_room()) guest_send(VXN_H_DNS, 0, q->id, NULL, 0);
  drop(q);
}

static struct query *free_place(void) {
  struct query *oldest = queries;
  for (size_t i = 0; i < QUERIES; i++) {
    if (!queries[i].used) return &queries[i];
    if (queries[i].age < oldest->age) oldest = &queries[i];
  }
  no_answer(oldest);
  return oldest;
}

// ---- Answers

static bool hold(struct query *q) {
  if (guest_has_room()) return false;
  loop_set(&q->src, 0);
  q->held = true;
  return true;
}

static void udp_ready(struct query *q) {
  ssize_t n = recv(q->src.fd, answer, sizeof answer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) guest_send(VXN_H_DNS, 0, q->id, answer, (uint32_t)n);
  drop(q);
}

static bool send_rest(struct query *q) {
  while (q->done < q->size) {
    ssize_t n = send(q->src.fd, q->data + q->done, q->size - q->done, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n < 0) return false;
    q->done += (size_t)n;
  }
  // From here on the buffer takes the answer; its size comes first.
  q->done = 0;
  q->size = TCP_HEADER;
  loop_set(&q->src, EPOLLIN);
  return true;
}

static bool grow(struct query *q) {
  q->size = TCP_HEADER + ((size_t)q->data[0] << 8 | q->data[1]);
  uint8_t *data = q->size > VXN_PAYLOAD_MAX + TCP_HEADER ? NULL : realloc(q->data, q->size);
  if (data != NULL) q->data = data;
  return data != NULL && q->size > TCP_HEADER;
}

static bool read_rest(struct query *q) {
  for (;;) {
    ssize_t n = recv(q->src.fd, q->data + q->done, q->size - q->done, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) return false;
    q->done += (size_t)n;
    if (q->done < q->size) continue;
    if (q->size == TCP_HEADER && !grow(q)) return false;
    if (q->done < q->size) continue;
    guest_send(VXN_H_DNS, 0, q->id, q->data + TCP_HEADER, (uint32_t)(q->size - TCP_HEADER));
    drop(q);
    return true;
  }
}

static void ready(struct source *s, uint32_t events) {
  struct query *q = (struct query *)s;
  bool sending = q->tcp && (q->src.events & EPOLLOUT) != 0;
  (void)events;
  if (!sending && hold(q)) return;
  if (!q->tcp)
    udp_ready(q);
  else if (!(sending ? send_rest(q) : read_rest(q)))
    no_answer(q);
}

// ---- Questions

static bool prepare_tcp(struct query *q, const uint8_t *message, size_t len) {
  q->size = TCP_HEADER + len;
  q->data = malloc(q->size);
  if (q->data == NULL) return false;
  q->data[0] = (uint8_t)(len >> 8);
  q->data[1] = (uint8_t)len;
  memcpy(q->data + TCP_HEADER, message, len);
  return true;
}

static bool ask(struct query *q, const struct sockaddr_storage *to, const uint8_t *message, size_t len) {
  socklen_t size = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  q->src.fd = socket(to->ss_family, (q->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (q->src.fd < 0) return false;
  if (connect(q->src.fd, (const struct sockaddr *)to, size) < 0 && errno != EINPROGRESS) return false;
  if (q->tcp ? !prepare_tcp(q, message, len) : send(q->src.fd, message, len, 0) < 0) return false;
  q->src.events = q->tcp ? EPOLLOUT : EPOLLIN;
  q->src.ready = ready;
  return loop_add(&q->src) == 0;
}

vxn_fault dns_query(const struct vxn_header *h, const uint8_t *payload) {
  if (payload[0] > TCP || payload[1] >= n_resolvers) return "a question to a name server that there is none";
  struct query *q = free_place();
  *q = (struct query){.src.fd = -1, .id = h->id, .age = ++clock_, .used = true, .tcp = payload[0] == TCP};
  if (ask(q, &resolvers[payload[1]], payload + QUERY_HEADER, h->length - QUERY_HEADER)) return NULL;
  if (q->src.fd >= 0 && q->src.ready == NULL) close(q->src.fd), q->src.fd = -1;
  no_answer(q);
  return NULL;
}

void dns_turn(void) {
  for (size_t i = 0; i < QUERIES && guest_has_room(); i++) {
    if (!queries[i].held) continue;
    queries[i].held = false;
    loop_set(&queries[i].src, EPOLLIN);
  }
}

void dns_close(void) {
  for (size_t i = 0; i < QUERIES; i++)
    if (queries[i].used) drop(&queries[i]);
}
