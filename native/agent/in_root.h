// SPDX-License-Identifier: MIT
// Paths of a container, resolved by the kernel inside its root (RESOLVE_IN_ROOT), so that no link
// of the image leads out of it. Mounts go to the descriptor that was found, by way of
// /proc/self/fd.
#ifndef VXN_AGENT_IN_ROOT_H
#define VXN_AGENT_IN_ROOT_H

#include <stdbool.h>
#include <stddef.h>

/// A path that leads to an open descriptor.
struct fd_path {
  char text[32];
};
struct fd_path fd_path(int fd);

/// Opens a path below root; flags as of open(2). A descriptor, or -1 with errno.
int open_in_root(int root, const char *path, int flags);

/// Opens (O_PATH) a path below root. What is missing is made first: folders, and last a folder
/// (dir) or an empty file. A link that leads to nothing stays, and its target is made. A
/// descriptor, or -1 with errno.
int make_in_root(int root, const char *path, bool dir);

/// Writes "a/b" + rest to out (PATH_MAX bytes), of a its first a_len bytes. 0, or -1 with errno.
int join_path(char *out, const char *a, size_t a_len, const char *b, const char *rest);

#endif
