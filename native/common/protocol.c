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

bool vxn_get_header(const uint8_t in[VXN_HEADER_SIZE], struct vxn_header *h) {
  h->type = vxn_get16(in);
  h->flags = vxn_get16(in + 2);
  h->id = vxn_get32(in + 4);
  h->length = vxn_get32(in + 8);
  if (h->length > VXN_PAYLOAD_MAX) return false;
  if (h->flags == 0) return true;
  return h->flags == VXN_FLAG_MORE && (h->type == VXN_H_CONTAINER || h->type == VXN_H_PROCESS);
}

// The frames that a guest may send: bounds of the payload and whether the id names a container or
// process.
static const struct guest_rule {
  uint16_t type;
  uint32_t min, max;
  bool id;
} guest_rules[] = {
    {VXN_G_HELLO, 21, 84, false},     {VXN_G_CONTAINER_OK, 8, 8, true},
    {VXN_G_STARTED, 12, 12, true},    {VXN_G_FAILED, 4, 4 + VXN_TEXT_MAX, true},
    {VXN_G_STDOUT, 1, VXN_PAYLOAD_MAX, true}, {VXN_G_STDERR, 1, VXN_PAYLOAD_MAX, true},
    {VXN_G_EOF, 4, 4, true},          {VXN_G_CREDIT, 8, 8, true},
    {VXN_G_EXIT, 16, 16, true},       {VXN_G_LOG, 0, VXN_TEXT_MAX, false},
    {VXN_G_STATS, 0, 4096, true},     {VXN_G_PONG, 0, 64, true},
    {VXN_G_DNS, 14, VXN_PAYLOAD_MAX, true},
};

bool vxn_guest_header_ok(const struct vxn_header *h) {
  for (size_t i = 0; i < sizeof guest_rules / sizeof *guest_rules; i++) {
    const struct guest_rule *r = &guest_rules[i];
    if (r->type != h->type) continue;
    return h->flags == 0 && h->length >= r->min && h->length <= r->max && (h->id != 0) == r->id;
  }
  return false;
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

void vxn_parser_init(struct vxn_parser *p, bool from_guest) {
  p->from_guest = from_guest;
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
    if (p->from_guest && !vxn_guest_header_ok(&h)) return p->fault = "frame that a guest may not send";
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
