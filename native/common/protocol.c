// SPDX-License-Identifier: MIT
#include "protocol.h"

#include <string.h>

uint16_t vxn_get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

uint32_t vxn_get32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t vxn_get64(const uint8_t *p) { return vxn_get32(p) | (uint64_t)vxn_get32(p + 4) << 32; }

void vxn_put16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}

void vxn_put32(uint8_t *p, uint32_t v) {
  vxn_put16(p, (uint16_t)v);
  vxn_put16(p + 2, (uint16_t)(v >> 16));
}

void vxn_put64(uint8_t *p, uint64_t v) {
  vxn_put32(p, (uint32_t)v);
  vxn_put32(p + 4, (uint32_t)(v >> 32));
}

void vxn_put_header(uint8_t out[VXN_HEADER_SIZE], const struct vxn_header *h) {
  vxn_put16(out, h->type);
  vxn_put16(out + 2, h->flags);
  vxn_put32(out + 4, h->id);
  vxn_put32(out + 8, h->length);
}

enum vxn_class vxn_class(uint16_t type) { return (enum vxn_class)(type >> 8 & 15); }

// Ids: none (0), one that names something (not 0), or the asker's choice.
enum id_rule { NO_ID, AN_ID, ANY_ID };

#define BY(sender) (1u << VXN_FROM_##sender)
// A process in the guest is spoken to in the same words from the monitor and from its clients.
#define HOST_OR_CLIENT (BY(HOST) | BY(CLIENT))
#define HOST_OR_FILE (BY(HOST) | BY(FILE))
#define GUEST_OR_MONITOR (BY(GUEST) | BY(MONITOR))

// Everything that is known about a type of frame, but for its payload's content. A type that is not
// in here is refused.
static const struct rule {
  uint16_t type;
  uint8_t by;  // senders, as bits
  enum id_rule id;
  uint32_t min, max;  // bytes of payload
  bool more;          // MORE is allowed
} rules[] = {
    {VXN_H_HELLO, BY(HOST), NO_ID, 4, 4, false},
    {VXN_H_NETWORK, BY(HOST), NO_ID, 0, VXN_PAYLOAD_MAX, false},
    {VXN_H_STATS, HOST_OR_CLIENT, AN_ID, 0, 0, false},
    {VXN_H_PING, BY(HOST), AN_ID, 0, 64, false},
    {VXN_H_POWEROFF, BY(HOST), NO_ID, 0, 0, false},
    {VXN_H_DNS, BY(HOST), AN_ID, 0, VXN_PAYLOAD_MAX, false},

    {VXN_H_CONTAINER, HOST_OR_FILE, AN_ID, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_FILE, HOST_OR_FILE, AN_ID, 0, VXN_PAYLOAD_MAX, false},
    {VXN_H_FILE_DATA, HOST_OR_FILE, AN_ID, 0, VXN_PAYLOAD_MAX, false},

    {VXN_H_PROCESS, HOST_OR_CLIENT | BY(FILE), AN_ID, 0, VXN_PAYLOAD_MAX, true},
    {VXN_H_STDIN, HOST_OR_CLIENT, AN_ID, 0, VXN_PAYLOAD_MAX, false},
    {VXN_H_STDIN_EOF, HOST_OR_CLIENT, AN_ID, 0, 0, false},
    {VXN_H_CREDIT, HOST_OR_CLIENT, AN_ID, 8, 8, false},
    {VXN_H_SIGNAL, HOST_OR_CLIENT | BY(FIFO), AN_ID, 8, 8, false},
    {VXN_H_RESIZE, HOST_OR_CLIENT, AN_ID, 4, 4, false},

    {VXN_M_KILL, BY(FIFO), NO_ID, 0, 0, false},
    {VXN_M_STATUS, BY(CLIENT), ANY_ID, 0, 0, false},
    {VXN_M_START, BY(FIFO), NO_ID, 0, 0, false},
    {VXN_M_PAUSED, BY(FIFO), AN_ID, 0, 0, false},
    {VXN_M_PIDS, BY(CLIENT), ANY_ID, 0, 0, false},
    {VXN_M_JOIN, BY(FILE), NO_ID, 0, VXN_PAYLOAD_MAX, false},

    {VXN_G_HELLO, BY(GUEST), NO_ID, 21, 84, false},
    {VXN_G_STATS, GUEST_OR_MONITOR, AN_ID, 0, 4096, false},
    {VXN_G_PONG, BY(GUEST), AN_ID, 0, 64, false},
    {VXN_G_DNS, BY(GUEST), AN_ID, 14, VXN_PAYLOAD_MAX, false},
    {VXN_G_LOG, BY(GUEST), NO_ID, 0, VXN_TEXT_MAX, false},

    {VXN_G_CONTAINER_OK, BY(GUEST), AN_ID, 8, 8, false},
    {VXN_G_CONTAINER_FAILED, BY(GUEST), AN_ID, 4, 4 + VXN_TEXT_MAX, false},

    {VXN_G_STARTED, GUEST_OR_MONITOR, AN_ID, 12, 12, false},
    {VXN_G_PROCESS_FAILED, GUEST_OR_MONITOR, AN_ID, 4, 4 + VXN_TEXT_MAX, false},
    {VXN_G_STDOUT, GUEST_OR_MONITOR, AN_ID, 1, VXN_PAYLOAD_MAX, false},
    {VXN_G_STDERR, GUEST_OR_MONITOR, AN_ID, 1, VXN_PAYLOAD_MAX, false},
    {VXN_G_EOF, GUEST_OR_MONITOR, AN_ID, 4, 4, false},
    {VXN_G_CREDIT, GUEST_OR_MONITOR, AN_ID, 8, 8, false},
    {VXN_G_EXIT, GUEST_OR_MONITOR, AN_ID, 16, 16, false},

    {VXN_M_REFUSED, BY(MONITOR), ANY_ID, 4, 4 + VXN_TEXT_MAX, false},
    {VXN_M_STATUS_REPLY, BY(MONITOR), ANY_ID, 12, 12, false},
    {VXN_M_PIDS_REPLY, BY(MONITOR), ANY_ID, 0, 4096, false},
};

static const struct rule *rule_of(uint16_t type) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (rules[i].type == type) return &rules[i];
  return NULL;
}

bool vxn_get_header(const uint8_t in[VXN_HEADER_SIZE], struct vxn_header *h) {
  h->type = vxn_get16(in);
  h->flags = vxn_get16(in + 2);
  h->id = vxn_get32(in + 4);
  h->length = vxn_get32(in + 8);
  if (h->length > VXN_PAYLOAD_MAX) return false;
  if (h->flags == 0) return true;
  const struct rule *r = rule_of(h->type);
  return h->flags == VXN_FLAG_MORE && r != NULL && r->more;
}

bool vxn_header_ok(enum vxn_sender from, const struct vxn_header *h) {
  const struct rule *r = rule_of(h->type);
  if (r == NULL || (r->by & 1u << from) == 0) return false;
  if (r->id != ANY_ID && (h->id != 0) != (r->id == AN_ID)) return false;
  return h->length >= r->min && h->length <= r->max && (h->flags == 0 || r->more);
}

static vxn_fault fault_of(enum vxn_sender from) {
  switch (from) {
    case VXN_FROM_GUEST: return "frame that a guest may not send";
    case VXN_FROM_HOST: return "frame that a host may not send";
    default: return "frame that does not belong here";
  }
}

int vxn_next_record(const uint8_t **p, size_t *left, struct vxn_record *r) {
  if (*left == 0) return 0;
  if (*left < 8 || vxn_get16(*p + 2) != 0) return -1;
  r->tag = vxn_get16(*p);
  r->length = vxn_get32(*p + 4);
  r->value = *p + 8;
  if (r->length > *left - 8) return -1;
  *p += 8 + (size_t)r->length;
  *left -= 8 + (size_t)r->length;
  return 1;
}

void vxn_parser_init(struct vxn_parser *p, enum vxn_sender from) {
  p->from = from;
  p->have = 0;
  p->fault = NULL;
}

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

uint8_t *vxn_parser_room(struct vxn_parser *p, size_t *size) {
  struct vxn_header h = {0};
  size_t want = VXN_HEADER_SIZE;
  if (p->have >= VXN_HEADER_SIZE) {
    vxn_get_header(p->buf, &h);
    want += h.length;
  }
  *size = want - p->have;
  return p->buf + p->have;
}

vxn_fault vxn_parser_took(struct vxn_parser *p, size_t n, vxn_frame_fn fn, void *ctx) {
  struct vxn_header h = {0};
  bool had_header = p->have >= VXN_HEADER_SIZE;
  p->have += n;
  if (p->fault != NULL || p->have < VXN_HEADER_SIZE) return p->fault;
  bool ok = vxn_get_header(p->buf, &h);
  if (!had_header) {
    if (!ok) return p->fault = "malformed frame header";
    if (!vxn_header_ok(p->from, &h)) return p->fault = fault_of(p->from);
  }
  if (p->have < VXN_HEADER_SIZE + h.length) return NULL;
  p->have = 0;
  return p->fault = fn(ctx, &h, p->buf + VXN_HEADER_SIZE);
}

vxn_fault vxn_parser_feed(struct vxn_parser *p, const uint8_t *data, size_t len, vxn_frame_fn fn, void *ctx) {
  while (p->fault == NULL && len > 0) {
    size_t size;
    uint8_t *room = vxn_parser_room(p, &size);
    size_t n = min_size(len, size);
    memcpy(room, data, n);
    data += n;
    len -= n;
    vxn_parser_took(p, n, fn, ctx);
  }
  return p->fault;
}
