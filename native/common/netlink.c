// SPDX-License-Identifier: MIT
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// The kernel fills it with as many messages of a dump as fit.
#define RECEIVE 32768
#define ANSWER_SECONDS 10
#define DUMP_ATTEMPTS 5

static _Alignas(8) uint8_t buffer[RECEIVE];

int nl_open(struct nl *n, uint32_t groups) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  struct timeval wait = {.tv_sec = ANSWER_SECONDS};
  int on = 1, receive = 1 << 20;
  *n = (struct nl){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (n->fd < 0) return -1;
  setsockopt(n->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(n->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (groups != 0) setsockopt(n->fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
  if (bind(n->fd, (struct sockaddr *)&address, sizeof address) == 0) return 0;
  int saved = errno;
  nl_close(n);
  errno = saved;
  return -1;
}

void nl_close(struct nl *n) {
  if (n->fd >= 0) close(n->fd);
  n->fd = -1;
}

// ---- Requests

static uint8_t *reserve(struct nl_message *m, size_t len) {
  size_t need = nl_align(len);
  if (m->full || need > sizeof m->data - m->len) {
    m->full = true;
    return NULL;
  }
  uint8_t *at = m->data + m->len;
  memset(at, 0, need);
  m->len += need;
  return at;
}

void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *body, size_t len) {
  m->len = 0;
  m->full = false;
  struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST)};
  memcpy(reserve(m, sizeof h), &h, sizeof h);
  uint8_t *at = reserve(m, len);
  if (at != NULL) memcpy(at, body, len);
}

void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len) {
  struct nlattr a = {.nla_len = (uint16_t)(sizeof a + len), .nla_type = type};
  uint8_t *at = len > UINT16_MAX - sizeof a ? NULL : reserve(m, sizeof a + len);
  if (at == NULL) {
    m->full = true;
    return;
  }
  memcpy(at, &a, sizeof a);
  if (len > 0) memcpy(at + sizeof a, data, len);
}

void nl_put_body(struct nl_message *m, const void *data, size_t len) {
  uint8_t *at = reserve(m, len);
  if (at != NULL) memcpy(at, data, len);
}

void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t value) { nl_put(m, type, &value, sizeof value); }

void nl_put_string(struct nl_message *m, uint16_t type, const char *text) { nl_put(m, type, text, strlen(text) + 1); }

size_t nl_nest(struct nl_message *m, uint16_t type) {
  size_t at = m->len;
  nl_put(m, type, NULL, 0);
  return at;
}

void nl_nest_end(struct nl_message *m, size_t nest) {
  if (m->full) return;
  uint16_t len = (uint16_t)(m->len - nest);
  memcpy(m->data + nest, &len, sizeof len);
}

// ---- Answers

int nl_next(const uint8_t **data, size_t *len, uint16_t *type, struct nl_value *value) {
  struct nlattr a;
  if (*len < sizeof a) return *len == 0 ? 0 : -1;
  memcpy(&a, *data, sizeof a);
  if (a.nla_len < sizeof a || a.nla_len > *len) return -1;
  *type = (uint16_t)(a.nla_type & (uint16_t)NLA_TYPE_MASK);
  *value = (struct nl_value){*data + sizeof a, a.nla_len - sizeof a};
  size_t step = nl_align(a.nla_len);
  if (step > *len) step = *len;
  *data += step;
  *len -= step;
  return 1;
}

int nl_parse(const uint8_t *data, size_t len, struct nl_value *values, size_t n) {
  memset(values, 0, n * sizeof *values);
  uint16_t type;
  struct nl_value v;
  int got;
  while ((got = nl_next(&data, &len, &type, &v)) > 0)
    if (type < n) values[type] = v;
  return got;
}

uint32_t nl_u32(struct nl_value v, uint32_t otherwise) {
  uint32_t n = otherwise;
  if (v.data != NULL && v.len == sizeof n) memcpy(&n, v.data, sizeof n);
  return n;
}

bool nl_string(struct nl_value v, char *out, size_t size) {
  if (v.data == NULL || v.len == 0 || v.len > size || memchr(v.data, 0, v.len) != v.data + v.len - 1) return false;
  memcpy(out, v.data, v.len);
  return true;
}

// The error, with the kernel's sentence about it if there is one.
static int error_of(struct nl *n, const uint8_t *body, size_t len, uint16_t flags) {
  struct nlmsgerr e;
  struct nl_value values[NLMSGERR_ATTR_MAX + 1];
  if (len < sizeof e) return -EBADMSG;
  memcpy(&e, body, sizeof e);
  size_t skip = sizeof e;
  if ((flags & NLM_F_CAPPED) == 0 && e.error != 0 && e.msg.nlmsg_len >= sizeof e.msg)
    skip += nl_align(e.msg.nlmsg_len - sizeof e.msg);
  if (e.error != 0 && (flags & NLM_F_ACK_TLVS) != 0 && skip < len &&
      nl_parse(body + skip, len - skip, values, NLMSGERR_ATTR_MAX + 1) == 0)
    nl_string(values[NLMSGERR_ATTR_MSG], n->text, sizeof n->text);
  return e.error;
}

struct answer {
  nl_fn fn;
  void *ctx;
  int result;
  bool done, interrupted;
};

// One datagram's messages. seq 0: events, which have no end.
static int take(struct nl *n, size_t got, uint32_t seq, struct answer *a) {
  const uint8_t *at = buffer;
  struct nlmsghdr h;
  for (; got >= sizeof h; at += nl_align(h.nlmsg_len), got -= nl_align(h.nlmsg_len)) {
    memcpy(&h, at, sizeof h);
    if (h.nlmsg_len < sizeof h || h.nlmsg_len > got) return -EBADMSG;
    if (nl_align(h.nlmsg_len) > got) got = nl_align(h.nlmsg_len);  // the last one may go without padding
    const uint8_t *body = at + sizeof h;
    size_t len = h.nlmsg_len - sizeof h;
    if (seq != 0 && h.nlmsg_seq != seq) continue;
    if ((h.nlmsg_flags & NLM_F_DUMP_INTR) != 0) a->interrupted = true;
    if (h.nlmsg_type == NLMSG_NOOP) continue;
    if (h.nlmsg_type == NLMSG_ERROR) {
      a->done = true;
      return error_of(n, body, len, h.nlmsg_flags);
    }
    if (h.nlmsg_type == NLMSG_DONE) {
      int32_t error = 0;
      if (len >= sizeof error) memcpy(&error, body, sizeof error);
      a->done = true;
      return error;
    }
    if (a->fn != NULL && a->result == 0) a->result = a->fn(a->ctx, h.nlmsg_type, body, len);
  }
  return 0;
}

int nl_request(struct nl *n, struct nl_message *m, nl_fn fn, void *ctx) {
  struct nlmsghdr h;
  struct answer a = {.fn = fn, .ctx = ctx};
  n->text[0] = '\0';
  if (m->full) return -EMSGSIZE;
  memcpy(&h, m->data, sizeof h);
  h.nlmsg_len = (uint32_t)m->len;
  h.nlmsg_seq = ++n->seq == 0 ? ++n->seq : n->seq;
  if ((h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) h.nlmsg_flags |= NLM_F_ACK;
  memcpy(m->data, &h, sizeof h);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(n->fd, m->data, m->len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return -errno;
  while (!a.done) {
    ssize_t got = recv(n->fd, buffer, sizeof buffer, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    if ((size_t)got > sizeof buffer) return -EMSGSIZE;
    int error = take(n, (size_t)got, h.nlmsg_seq, &a);
    if (error != 0) return error;
  }
  return a.result != 0 ? a.result : a.interrupted ? -EINTR : 0;
}

int nl_dump(struct nl *n, uint16_t type, const void *body, size_t len, nl_fn fn, void (*start)(void *ctx), void *ctx) {
  int rc = -EINTR;
  for (int i = 0; i < DUMP_ATTEMPTS && rc == -EINTR; i++) {
    struct nl_message m;
    if (start != NULL) start(ctx);
    nl_start(&m, type, NLM_F_DUMP, body, len);
    rc = nl_request(n, &m, fn, ctx);
  }
  return rc;
}

int nl_events(struct nl *n, nl_fn fn, void *ctx) {
  int seen = 0;
  for (;;) {
    struct answer a = {.fn = fn, .ctx = ctx};
    ssize_t got = recv(n->fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? seen : -errno;
    seen = 1;
    if ((size_t)got > sizeof buffer) return -ENOBUFS;
    take(n, (size_t)got, 0, &a);
  }
}
