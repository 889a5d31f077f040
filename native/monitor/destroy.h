// SPDX-License-Identifier: MIT
#ifndef VXN_DESTROY_H
#define VXN_DESTROY_H

#include <stdint.h>

/// Starts `xl destroy` in the background, in a process that outlives this one. It holds hold_fd: whoever connects to that
/// listening socket sees the connection end when the domain is gone. The file at gone_path appears if xl says so.
void destroy_domain(const char *xl, uint32_t domid, int hold_fd, const char *gone_path);

#endif
