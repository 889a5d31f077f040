// SPDX-License-Identifier: MIT
// Variables that give back what they hold when their block ends.
#ifndef VXN_AGENT_CLEANUP_H
#define VXN_AGENT_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static inline void close_fd(const int *fd) {
  if (*fd >= 0) close(*fd);
}
static inline void free_pointer(void *p) { free(*(void **)p); }
static inline void close_dir(DIR **d) {
  if (*d != NULL) closedir(*d);
}

/// For an int: a file descriptor, or a negative number for none.
#define autoclose __attribute__((cleanup(close_fd)))
/// For a pointer that malloc(3) answered, or NULL.
#define autofree __attribute__((cleanup(free_pointer)))
/// For a DIR *, or NULL.
#define autoclosedir __attribute__((cleanup(close_dir)))

#endif
