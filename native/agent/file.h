// SPDX-License-Identifier: MIT
// Small files, such as the kernel's settings, and paths that the kernel resolves within bounds.
#ifndef VXN_AGENT_FILE_H
#define VXN_AGENT_FILE_H

#include <stdint.h>
#include <sys/types.h>

/// Writes a whole string to a file that exists. 0, or -1 with errno.
int write_file(const char *path, const char *text);

/// Reads at most size - 1 bytes and adds a NUL. Returns the length, or -1 with errno.
ssize_t read_file(const char *path, char *buf, size_t size);

/// openat2(2) with O_CLOEXEC; how is a set of RESOLVE_* flags. A descriptor, or -1 with errno.
int open_resolve(int dirfd, const char *path, int flags, mode_t mode, uint64_t how);

#endif
