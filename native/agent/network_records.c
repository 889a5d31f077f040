// SPDX-License-Identifier: MIT
#include "network_records.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

static int no_memory(struct error *e) { return fail(e, ENOMEM, "out of memory"); }

static int malformed(const struct vxn_record *r, struct error *e) {
  return fail(e, EINVAL, "malformed record 0x%04x of %u bytes", r->tag, r->length);
}

static int take_u32(const struct vxn_record *r, uint32_t *out, struct error *e) {
  if (r->length != 4) return malformed(r, e);
  *out = vxn_get32(r->value);
  return 0;
}

static bool is_interface_name(const char *name) {
  return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strpbrk(name, "/: \t\n") == NULL;
}

static int take_name(struct link_desc *l, const struct vxn_record *r, struct error *e) {
  if (r->length >= sizeof l->name || (r->length > 0 && memchr(r->value, 0, r->length) != NULL)) return malformed(r, e);
  memset(l->name, 0, sizeof l->name);
  if (r->length > 0) memcpy(l->name, r->value, r->length);
  return is_interface_name(l->name) ? 0 : fail(e, EINVAL, "a link has no proper name");
}

static int take_setting(struct pool *p, struct link_desc *l, const struct vxn_record *r, struct error *e) {
  const uint8_t *nul = r->length == 0 ? NULL : memchr(r->value, 0, r->length);
  if (nul == NULL) return malformed(r, e);
  struct setting_desc *s = pool_push(p, &l->settings, &l->n_settings, sizeof *s);
  size_t key = (size_t)(nul - r->value);
  const char *text = s == NULL ? NULL : pool_string(p, r->value, r->length);
  if (text == NULL) return no_memory(e);
  *s = (struct setting_desc){text, text + key + 1};
  bool known = strncmp(s->key, "ipv4/", 5) == 0 || strncmp(s->key, "ipv6/", 5) == 0;
  return known && strchr(s->key + 5, '/') == NULL && s->key[5] != '.' && key > 5 ? 0 : malformed(r, e);
}

static int take_link_record(struct pool *p, struct link_desc *l, const struct vxn_record *r, struct error *e) {
  switch (r->tag) {
    case VXN_T_LINK_NUMBER:
      return take_u32(r, &l->number, e);
    case VXN_T_LINK_NAME:
      return take_name(l, r, e);
    case VXN_T_LINK_MAC:
      if (r->length != sizeof l->mac) return malformed(r, e);
      memcpy(l->mac, r->value, sizeof l->mac);
      return 0;
    case VXN_T_LINK_MTU:
      return take_u32(r, &l->mtu, e);
    case VXN_T_LINK_FLAGS:
      return take_u32(r, &l->flags, e);
    case VXN_T_LINK_DHCP:
      l->dhcp = true;
      return r->length == 0 ? 0 : malformed(r, e);
    case VXN_T_LINK_SETTING:
      return take_setting(p, l, r, e);
    default:
      return fail(e, EINVAL, "unknown record 0x%04x in LINK", r->tag);
  }
}

static int take_link(struct network_desc *d, const struct vxn_record *r, struct error *e) {
  const uint8_t *at = r->value;
  size_t left = r->length;
  struct vxn_record inner;
  struct link_desc *l = pool_push(&d->pool, &d->links, &d->n_links, sizeof *l);
  if (l == NULL) return no_memory(e);
  *l = (struct link_desc){.number = UINT32_MAX};
  int got;
  while ((got = vxn_next_record(&at, &left, &inner)) > 0)
    if (take_link_record(&d->pool, l, &inner, e) < 0) return -1;
  if (got < 0 || l->number > 0xffff || l->name[0] == '\0') return fail(e, EINVAL, "malformed LINK");
  for (size_t i = 0; i + 1 < d->n_links; i++)
    if (d->links[i].number == l->number || strcmp(d->links[i].name, l->name) == 0)
      return fail(e, EINVAL, "two links with one number or name");
  return 0;
}

size_t object_head(uint16_t type) {
  switch (type) {
    case RTM_NEWADDR: return sizeof(struct ifaddrmsg);
    case RTM_NEWROUTE: return sizeof(struct rtmsg);
    case RTM_NEWNEIGH: return sizeof(struct ndmsg);
    case RTM_NEWRULE: return sizeof(struct fib_rule_hdr);
    default: return 0;
  }
}

size_t object_index_at(uint16_t type) {
  switch (type) {
    case RTM_NEWADDR: return offsetof(struct ifaddrmsg, ifa_index);
    case RTM_NEWNEIGH: return offsetof(struct ndmsg, ndm_ifindex);
    default: return 0;
  }
}

static int take_object(struct network_desc *d, const struct vxn_record *r, struct error *e) {
  if (r->length < 4 || vxn_get16(r->value + 2) != 0) return malformed(r, e);
  uint16_t type = vxn_get16(r->value);
  size_t len = r->length - 4, head = object_head(type);
  if (head == 0 || len < head) return malformed(r, e);
  struct object_desc *o = pool_push(&d->pool, &d->objects, &d->n_objects, sizeof *o);
  const char *copy = o == NULL ? NULL : pool_string(&d->pool, r->value + 4, len);
  if (copy == NULL) return no_memory(e);
  *o = (struct object_desc){type, (const uint8_t *)copy, len, false};
  return 0;
}

static int take_resolver(struct network_desc *d, const struct vxn_record *r, struct error *e) {
  if (r->length != 4 && r->length != 16) return malformed(r, e);
  struct resolver_desc *s = pool_push(&d->pool, &d->resolvers, &d->n_resolvers, sizeof *s);
  if (s == NULL) return no_memory(e);
  s->len = r->length;
  memcpy(s->address, r->value, r->length);
  return 0;
}

static int take_record(struct network_desc *d, const struct vxn_record *r, struct error *e) {
  switch (r->tag) {
    case VXN_T_LINK:
      return take_link(d, r, e);
    case VXN_T_OBJECT:
      return take_object(d, r, e);
    case VXN_T_RESOLVER:
      return take_resolver(d, r, e);
    default:
      return fail(e, EINVAL, "unknown record 0x%04x in NETWORK", r->tag);
  }
}

int parse_network(struct network_desc *d, const uint8_t *data, size_t len, struct error *e) {
  struct vxn_record r;
  for (;;) {
    int got = vxn_next_record(&data, &len, &r);
    if (got == 0) return 0;
    if (got < 0) return fail(e, EINVAL, "malformed records");
    if (take_record(d, &r, e) < 0) return -1;
  }
}
