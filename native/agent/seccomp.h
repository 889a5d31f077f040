// SPDX-License-Identifier: MIT
// The seccomp filter that vxn-seccomp made of the profile in Dom0.
#ifndef VXN_AGENT_SECCOMP_H
#define VXN_AGENT_SECCOMP_H

#include "records.h"

/// Sets the process's filter, if it has one, for the program that the caller executes. 0, or -1
/// with *e.
int seccomp_apply(const struct process_desc *p, struct error *e);

#endif
