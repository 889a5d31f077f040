// SPDX-License-Identifier: MIT
#ifndef VXN_BACKGROUND_H
#define VXN_BACKGROUND_H

/// Runs a program in a process that outlives this one. argv ends with NULL; argv[0] is looked up in
/// PATH. The process holds hold_fd (-1: nothing) until the program has ended. With status 0 the
/// file at done_path (NULL: none) appears.
void run_in_background(const char *const *argv, int hold_fd, const char *done_path);

#endif
