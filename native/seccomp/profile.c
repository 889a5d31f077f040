// SPDX-License-Identifier: MIT
#include "profile.h"

#include <string.h>

#include "refuse.h"

bool take_record(struct bytes *rest, uint16_t tag, struct vxn_record *r) {
  struct bytes after = *rest;
  int got = vxn_next_record(&after.data, &after.len, r);
  if (got < 0) refuse("malformed profile");
  if (got == 0 || r->tag != tag) return false;
  *rest = after;
  return true;
}

uint32_t record_u32(const struct vxn_record *r) {
  if (r->length != 4) refuse("malformed record 0x%04x", r->tag);
  return vxn_get32(r->value);
}

bool record_string(const struct vxn_record *r, char *buf, size_t size) {
  size_t fits = r->length < size ? r->length : size - 1;
  if (fits > 0) memcpy(buf, r->value, fits);
  buf[fits] = '\0';
  return fits == r->length && strlen(buf) == fits;
}

