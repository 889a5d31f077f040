// SPDX-License-Identifier: MIT
#ifndef VXN_DESTROY_H
#define VXN_DESTROY_H

#include <stdint.h>

/// Starts `xl destroy` in the background, in a process that outlives this one. It holds hold_fd: whoever connects to that
/// listening socket sees the connection end when the domain is gone. The file at gone_path appears if xl says so.
void destroy_domain(const char *xl, uint32_t domid, int hold_fd, const char *gone_path);

/// Runs a program in the background, in a process that outlives this one; argv ends with NULL, argv[0] is looked up in PATH. The
/// process holds hold_fd (-1: nothing) until the program has ended. The file at done_path (NULL: none) appears on status 0.
void run_in_background(const char *const *argv, int hold_fd, const char *done_path);

#endif
