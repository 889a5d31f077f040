// SPDX-License-Identifier: MIT
// The seccomp profile that the runtime hands over: records (docs/protocol.md), in the order of
// their tags. A malformed one ends the program.
#ifndef VXN_SECCOMP_PROFILE_H
#define VXN_SECCOMP_PROFILE_H

#include "protocol.h"

enum seccomp_tag {
  SECCOMP_T_FLAGS = 100,    ///< u32, SECCOMP_FILTER_FLAG_*
  SECCOMP_T_DEFAULT = 101,  ///< u32, SECCOMP_RET_* with its data
  SECCOMP_T_ARCH = 102,     ///< string: libseccomp's name of an architecture beside the native one
  SECCOMP_T_RULE = 103,     ///< nested
  SECCOMP_T_ACTION = 104,   ///< u32
  SECCOMP_T_NAME = 105,     ///< string
  SECCOMP_T_ARG = 106,      ///< u32 index, u32 scmp_compare, u64 value, u64 second value
};

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
