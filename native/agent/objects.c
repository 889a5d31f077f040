// SPDX-License-Identifier: MIT
#include "objects.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "links.h"
#include "rtnl.h"

// ---- Interface numbers of the protocol to those of this kernel

static uint32_t real_index(uint32_t index) {
  if (index <= VXN_NET_LO) return index;
  return (uint32_t)link_index(index - VXN_NET_FIRST);
}

static bool translate_hops(uint8_t *hops, size_t len) {
  struct rtnexthop h;
  for (size_t at = 0; at + sizeof h <= len; at += nl_align(h.rtnh_len)) {
    memcpy(&h, hops + at, sizeof h);
    if (h.rtnh_len < sizeof h || h.rtnh_len > len - at) return false;
    h.rtnh_ifindex = (int)real_index((uint32_t)h.rtnh_ifindex);
    if (h.rtnh_ifindex == 0) return false;
    memcpy(hops + at, &h, sizeof h);
  }
  return true;
}

// Copies an attribute, with interface numbers that are this kernel's. False when an interface is
// not there.
static bool put_translated(struct nl_message *m, uint16_t object, uint16_t type, struct nl_value v) {
  uint8_t hops[1024];
  if (object == RTM_NEWROUTE && type == RTA_OIF) {
    uint32_t index = real_index(nl_u32(v, 0));
    nl_put_u32(m, type, index);
    return index != 0;
  }
  if (object == RTM_NEWROUTE && type == RTA_MULTIPATH) {
    if (v.len > sizeof hops) return false;
    memcpy(hops, v.data, v.len);
    bool known = translate_hops(hops, v.len);
    nl_put(m, type, hops, v.len);
    return known;
  }
  nl_put(m, type, v.data, v.len);
  return true;
}

static bool object_message(struct nl_message *m, const struct object_desc *o, uint16_t type, uint16_t flags) {
  uint8_t head[32];
  size_t len = object_head(o->type), at = object_index_at(o->type), left = o->len - len;
  const uint8_t *attributes = o->data + len;
  memcpy(head, o->data, len);
  if (at != 0) {
    uint32_t index;
    memcpy(&index, head + at, sizeof index);
    index = real_index(index);
    if (index == 0) return false;
    memcpy(head + at, &index, sizeof index);
  }
  nl_start(m, type, flags, head, len);
  uint16_t kind;
  struct nl_value v;
  int got;
  while ((got = nl_next(&attributes, &left, &kind, &v)) > 0)
    if (!put_translated(m, o->type, kind, v)) return false;
  return got == 0;
}

// ---- Add and take away

static int add_object(const struct object_desc *o) {
  struct nl_message m;
  // Several routes to one destination are told apart by their order.
  uint16_t flags = NLM_F_CREATE | (o->type == RTM_NEWROUTE ? NLM_F_APPEND : NLM_F_EXCL);
  if (o->type == RTM_NEWNEIGH) flags = NLM_F_CREATE | NLM_F_REPLACE;
  if (!object_message(&m, o, o->type, flags)) return -ENODEV;
  int rc = rtnl_ask(&m);
  return rc == -EEXIST ? 0 : rc;
}

void object_remove(const struct object_desc *o) {
  struct nl_message m;
  // RTM_DELADDR follows RTM_NEWADDR, and so with the others.
  if (object_message(&m, o, (uint16_t)(o->type + 1), 0)) rtnl_ask(&m);
}

bool object_in(const struct network_desc *d, const struct object_desc *o) {
  for (size_t i = 0; i < d->n_objects; i++) {
    const struct object_desc *other = &d->objects[i];
    if (other->type == o->type && other->len == o->len && memcmp(other->data, o->data, o->len) == 0) return true;
  }
  return false;
}

// An address or a destination, for people.
static void print_object(const struct object_desc *o, char *text, size_t size) {
  static const char *const kinds[] = {"address", "route", "neighbour", "rule"};
  uint16_t type = o->type == RTM_NEWADDR ? IFA_ADDRESS : o->type == RTM_NEWROUTE ? RTA_DST : NDA_DST;
  size_t head = object_head(o->type);
  struct nl_value v[8];
  char address[INET6_ADDRSTRLEN] = "default";
  uint8_t family = o->data[0], prefix = o->data[1];
  const char *kind = kinds[(o->type - RTM_NEWADDR) / 4 < 3 ? (o->type - RTM_NEWADDR) / 4 : 3];
  if (nl_parse(o->data + head, o->len - head, v, 8) == 0 && v[type].data != NULL &&
      v[type].len == (family == AF_INET6 ? 16u : 4u))
    inet_ntop(family, v[type].data, address, sizeof address);
  if (o->type == RTM_NEWADDR || (o->type == RTM_NEWROUTE && prefix > 0))
    snprintf(text, size, "%s %s/%u", kind, address, prefix);
  else
    snprintf(text, size, "%s %s", kind, o->type == RTM_NEWRULE ? "" : address);
}

static int object_failed(const struct object_desc *o, int error, struct error *e) {
  char text[96];
  print_object(o, text, sizeof text);
  return fail(e, -error, "network: %s: %s%s", text, errno_text(-error), rtnl_words());
}

int objects_add(struct network_desc *d, struct error *e) {
  size_t left = 0;
  for (size_t i = 0; i < d->n_objects; i++)
    if (!d->objects[i].done) left++;
  for (size_t before = left + 1; left > 0 && left < before;) {
    before = left;
    for (size_t i = 0; i < d->n_objects; i++) {
      struct object_desc *o = &d->objects[i];
      if (o->done) continue;
      int rc = add_object(o);
      if (rc < 0) object_failed(o, rc, e);
      o->done = rc == 0;
      if (o->done) left--;
    }
  }
  return left == 0 ? 0 : -1;
}
