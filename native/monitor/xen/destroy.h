// SPDX-License-Identifier: MIT
#ifndef VXN_DESTROY_H
#define VXN_DESTROY_H

#include <stdint.h>

/// Starts `xl destroy` in a process that outlives this one. The process holds hold_fd until xl has
/// ended. The file at gone_path appears when xl says that the domain is gone.
void destroy_domain(const char *xl, uint32_t domid, int hold_fd, const char *gone_path);

#endif
