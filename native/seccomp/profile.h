// SPDX-License-Identifier: MIT
// The seccomp profile that the runtime hands over: PROFILE records (docs/protocol.md), in the order
// of their tags. A malformed one ends the program.
#ifndef VXN_SECCOMP_PROFILE_H
#define VXN_SECCOMP_PROFILE_H

#include "protocol.h"

struct bytes {
  const uint8_t *data;
  size_t len;
};

/// Takes the next record off *rest if it has that tag. False when it has another, or there is none.
bool take_record(struct bytes *rest, uint16_t tag, struct vxn_record *r);
/// The record's number.
uint32_t record_u32(const struct vxn_record *r);
/// Copies the record as a string to buf. False when it does not fit or holds a NUL.
bool record_string(const struct vxn_record *r, char *buf, size_t size);

#endif
