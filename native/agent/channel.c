// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent.h"

// Above this much unsent, no output is read from processes and no frame is taken from the host. What remains are answers
// to frames already taken and the ends of processes, so the queue stays bounded.
#define QUEUE_LIMIT (4 * VXN_PAYLOAD_MAX)
#define JOIN_TOTAL_MAX (16u << 20)

// A description that comes in several frames.
struct join {
  struct join *next;
  uint16_t type;
  uint32_t id;
  size_t len;
  uint8_t *data;
  bool refused;  // there was no room for it
};

static struct {
  struct vxn_transport *t;
  struct watch watch;
  struct vxn_parser parser;
  uint8_t *queue;
  size_t head, tail, size;
  struct join *joins;
  size_t joined;
} ch;

static void lost(const char *why) {
  if (agent.stop) return;
  agent.stop = true;
  agent_log("the channel to the host is closed: %s", why);
}

static void channel_ready(struct watch *w, uint32_t events) {
  (void)w;
  (void)events;
  if (ch.t->ack(ch.t) < 0) lost(errno_text(errno));
}

int channel_open(struct vxn_transport *t, struct error *e) {
  ch.t = t;
  ch.watch.fd = t->fd;
  vxn_parser_init(&ch.parser, false);
  if (watch_add(&ch.watch, t->events, channel_ready) < 0) return fail(e, errno, "channel: %s", errno_text(errno));
  return 0;
}

static void drop_join(struct join **at) {
  struct join *j = *at;
  *at = j->next;
  ch.joined -= j->len;
  free(j->data);
  free(j);
}

void channel_close(void) {
  if (ch.t != NULL) ch.t->close(ch.t);
  while (ch.joins != NULL) drop_join(&ch.joins);
  free(ch.queue);
  memset(&ch, 0, sizeof ch);
}

bool channel_has_room(void) { return ch.tail - ch.head < QUEUE_LIMIT; }

uint8_t *channel_reserve(size_t payload) {
  size_t want = VXN_HEADER_SIZE + payload;
  if (ch.size - ch.tail < want && ch.head > 0) {
    memmove(ch.queue, ch.queue + ch.head, ch.tail - ch.head);
    ch.tail -= ch.head;
    ch.head = 0;
  }
  if (ch.size - ch.tail < want) {
    size_t size = ch.size == 0 ? 2 * QUEUE_LIMIT : 2 * ch.size;
    while (size - ch.tail < want) size *= 2;
    uint8_t *queue = realloc(ch.queue, size);
    if (queue == NULL) {
      lost("out of memory");
      return NULL;
    }
    ch.queue = queue;
    ch.size = size;
  }
  return ch.queue + ch.tail + VXN_HEADER_SIZE;
}

void channel_commit(uint16_t type, uint32_t id, size_t payload) {
  vxn_put_header(ch.queue + ch.tail, &(struct vxn_header){type, 0, id, (uint32_t)payload});
  ch.tail += VXN_HEADER_SIZE + payload;
}

void channel_send(uint16_t type, uint32_t id, const void *payload, size_t len) {
  uint8_t *to = channel_reserve(len);
  if (to == NULL) return;
  if (len > 0) memcpy(to, payload, len);
  channel_commit(type, id, len);
}

void send_u32_u32(uint16_t type, uint32_t id, uint32_t a, uint32_t b) {
  uint8_t payload[8];
  vxn_put32(payload, a);
  vxn_put32(payload + 4, b);
  channel_send(type, id, payload, sizeof payload);
}

void send_hello(void) {
  struct utsname names;
  uint8_t payload[20 + 64];
  uname(&names);
  size_t release = strnlen(names.release, 64);
  vxn_put32(payload, VXN_PROTOCOL_VERSION);
  vxn_put64(payload + 4, agent.began_ns);
  vxn_put64(payload + 12, boot_ns());
  memcpy(payload + 20, names.release, release);
  channel_send(VXN_G_HELLO, 0, payload, 20 + release);
}

void send_failed(uint32_t id, const struct error *e) {
  uint8_t payload[4 + VXN_TEXT_MAX];
  size_t len = strnlen(e->text, VXN_TEXT_MAX);
  memcpy(payload + 4, e->text, len);
  len = make_utf8((char *)payload + 4, len);
  vxn_put32(payload, (uint32_t)e->code);
  channel_send(VXN_G_FAILED, id, payload, 4 + len);
}

void send_log(const char *text) {
  char line[VXN_TEXT_MAX];
  // A host that reads nothing must not make the agent's memory grow.
  if (ch.t == NULL || !channel_has_room()) return;
  size_t len = strnlen(text, sizeof line);
  memcpy(line, text, len);
  channel_send(VXN_G_LOG, 0, line, make_utf8(line, len));
}

// Its own end is awaited all the same: those who sent the others are not to suffer.
static void refuse_join(struct join *j) {
  ch.joined -= j->len;
  free(j->data);
  j->data = NULL;
  j->len = 0;
  j->refused = true;
}

// Adds a fragment. The whole description is handed on with its last one.
static vxn_fault join_frame(const struct vxn_header *h, const uint8_t *payload,
                            void (*done)(uint32_t, const uint8_t *, size_t)) {
  struct join **at = &ch.joins;
  while (*at != NULL && ((*at)->type != h->type || (*at)->id != h->id)) at = &(*at)->next;
  bool more = (h->flags & VXN_FLAG_MORE) != 0;
  if (*at == NULL && !more) {
    done(h->id, payload, h->length);
    return NULL;
  }
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    if (*at == NULL) return "out of memory";
    (*at)->type = h->type;
    (*at)->id = h->id;
  }
  struct join *j = *at;
  if (j->len + h->length > VXN_DESCRIPTION_MAX) return "description over the limit";
  if (ch.joined + h->length > JOIN_TOTAL_MAX) refuse_join(j);
  if (j->refused) {
    if (!more) {
      struct error e;
      fail(&e, ENOMEM, "too many long descriptions at once");
      send_failed(j->id, &e);
      drop_join(at);
    }
    return NULL;
  }
  uint8_t *data = realloc(j->data, j->len + h->length + 1);
  if (data == NULL) return "out of memory";
  memcpy(data + j->len, payload, h->length);
  j->data = data;
  j->len += h->length;
  ch.joined += h->length;
  if (!more) {
    done(j->id, j->data, j->len);
    drop_join(at);
  }
  return NULL;
}

// What the host may send: bounds of the payload and whether the id names something.
static const struct host_rule {
  uint16_t type;
  uint32_t min, max;
  bool id;
} host_rules[] = {
    {VXN_H_HELLO, 4, 4, false},
    {VXN_H_CONTAINER, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_PROCESS, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STDIN, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STDIN_EOF, 0, 0, true},
    {VXN_H_CREDIT, 8, 8, true},
    {VXN_H_SIGNAL, 8, 8, true},
    {VXN_H_RESIZE, 4, 4, true},
    {VXN_H_FILE, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_FILE_DATA, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_NETWORK, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STATS, 0, 0, true},
    {VXN_H_PING, 0, 64, true},
    {VXN_H_POWEROFF, 0, 0, false},
    {VXN_H_DNS, 0, VXN_PAYLOAD_MAX, true},
};

static bool host_header_ok(const struct vxn_header *h) {
  for (size_t i = 0; i < sizeof host_rules / sizeof *host_rules; i++) {
    const struct host_rule *r = &host_rules[i];
    if (r->type == h->type) return h->length >= r->min && h->length <= r->max && (h->id != 0) == r->id;
  }
  return false;
}

static vxn_fault take_frame(void *ctx, const struct vxn_header *h, const uint8_t *payload) {
  (void)ctx;
  if (!host_header_ok(h)) return "frame that a host may not send";
  // A process may end while frames for it are under way, so an unknown id is no fault.
  struct process *p = process_find(h->id);
  switch (h->type) {
    case VXN_H_HELLO:
      return vxn_get32(payload) == VXN_PROTOCOL_VERSION ? NULL : "version that the agent does not speak";
    case VXN_H_CONTAINER:
      return join_frame(h, payload, container_create);
    case VXN_H_PROCESS:
      return join_frame(h, payload, process_create);
    case VXN_H_STDIN:
      if (p == NULL) return NULL;
      if (h->length > p->in.given) return "more stdin than the credit";
      process_input(p, payload, h->length);
      return NULL;
    case VXN_H_STDIN_EOF:
      if (p != NULL) process_input_eof(p);
      return NULL;
    case VXN_H_CREDIT:
      return p == NULL ? NULL : process_credit(p, vxn_get32(payload), vxn_get32(payload + 4));
    case VXN_H_SIGNAL:
      if (p != NULL) process_signal(p, (int)vxn_get32(payload), vxn_get32(payload + 4) == 1);
      return NULL;
    case VXN_H_RESIZE:
      if (p != NULL) process_resize(p, vxn_get16(payload), vxn_get16(payload + 2));
      return NULL;
    case VXN_H_FILE:
      container_file(h->id, payload, h->length);
      return NULL;
    case VXN_H_FILE_DATA:
      container_file_data(h->id, payload, h->length);
      return NULL;
    case VXN_H_NETWORK:
      network_request(payload, h->length);
      return NULL;
    case VXN_H_DNS:
      dns_answer(h->id, payload, h->length);
      return NULL;
    case VXN_H_STATS:
      stats_send(h->id);
      return NULL;
    case VXN_H_PING:
      channel_send(VXN_G_PONG, h->id, payload, h->length);
      return NULL;
    default:
      agent.stop = true;  // POWEROFF
      return NULL;
  }
}

static bool flush(void) {
  if (ch.t == NULL || ch.head == ch.tail) return false;
  ssize_t n = ch.t->write(ch.t, ch.queue + ch.head, ch.tail - ch.head);
  if (n < 0) {
    lost(errno_text(errno));
    return false;
  }
  ch.head += (size_t)n;
  if (ch.head == ch.tail) ch.head = ch.tail = 0;
  return n > 0;
}

bool channel_pump(void) {
  static uint8_t chunk[VXN_PAYLOAD_MAX];
  bool moved = flush();
  if (ch.t == NULL || agent.stop || !channel_has_room()) return moved;
  ssize_t n = ch.t->read(ch.t, chunk, sizeof chunk);
  if (n == 0) return moved;
  if (n < 0) {
    lost(errno_text(errno));
    return moved;
  }
  vxn_fault fault = vxn_parser_feed(&ch.parser, chunk, (size_t)n, take_frame, NULL);
  if (fault != NULL) lost(fault);
  return true;
}
