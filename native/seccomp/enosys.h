// SPDX-License-Identifier: MIT
#ifndef VXN_SECCOMP_ENOSYS_H
#define VXN_SECCOMP_ENOSYS_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHS_MAX 32
#define STUB_MAX (1 + 10 * ARCHS_MAX)

/// The stub that answers ENOSYS for system calls newer than any that the profile names. archs are
/// libseccomp's tokens, last the highest number named for each, 0 where none is. Returns how many
/// instructions; at most STUB_MAX.
size_t enosys_stub(const uint32_t *archs, const uint32_t *last, size_t n, struct sock_filter *out);

#endif
