// SPDX-License-Identifier: MIT
#ifndef VXN_DESTROY_H
#define VXN_DESTROY_H

#include <stdint.h>

/// Starts `xl destroy` and does not wait for it. It inherits hold_fd: whoever connects to that listening socket sees the
/// connection end when the domain is gone.
void destroy_domain(const char *xl, uint32_t domid, int hold_fd);

#endif
