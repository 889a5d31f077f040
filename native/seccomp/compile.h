// SPDX-License-Identifier: MIT
#ifndef VXN_SECCOMP_COMPILE_H
#define VXN_SECCOMP_COMPILE_H

#include <linux/filter.h>

#include "profile.h"

/// Writes the filter of a profile to out (room for BPF_MAXINSNS instructions). Returns how many
/// there are. A profile that cannot be a filter ends the program.
size_t compile(struct bytes profile, struct sock_filter *out);

#endif
