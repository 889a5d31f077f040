// SPDX-License-Identifier: MIT
// The seccomp profile that the runtime hands over: records (docs/protocol.md), in the order of their tags.
#ifndef VXN_SECCOMP_PROFILE_H
#define VXN_SECCOMP_PROFILE_H

#include <linux/filter.h>

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

/// Ends the program with a line for the user.
__attribute__((format(printf, 1, 2))) _Noreturn void refuse(const char *fmt, ...);

/// Takes the next record with that tag off *rest. False when there is none of it before the next tag.
bool take_record(struct bytes *rest, uint16_t tag, struct vxn_record *r);
uint32_t record_u32(const struct vxn_record *r);
/// Copies the record as a string to buf. False when it does not fit or holds a NUL.
bool record_string(const struct vxn_record *r, char *buf, size_t size);

#define NAME_SIZE 128
#define ARCHS_MAX 32

/// Writes the filter of a profile to out (room for BPF_MAXINSNS instructions). Returns how many there are.
size_t compile(struct bytes profile, struct sock_filter *out);

/// The stub that answers ENOSYS for system calls newer than any that the profile names. archs are libseccomp's tokens, last the
/// highest number named for each, 0 where none is. Returns how many instructions; at most STUB_MAX.
size_t enosys_stub(const uint32_t *archs, const uint32_t *last, size_t n, struct sock_filter *out);
#define STUB_MAX (1 + 10 * ARCHS_MAX)

#endif
