// SPDX-License-Identifier: MIT
// Small things that every part of the agent uses.
//
// Error convention: a function that can fail answers -1 (or NULL) and fills *e through fail(); on success *e is untouched.
#ifndef VXN_AGENT_UTIL_H
#define VXN_AGENT_UTIL_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol.h"

struct error {
  int code;  ///< errno, 0 where none fits
  char text[VXN_TEXT_MAX + 1];
};

/// Fills *e and returns -1. A code other than 0 does not add its text: name it with errno_text() where it helps.
__attribute__((format(printf, 3, 4))) int fail(struct error *e, int code, const char *fmt, ...);

/// The text of an errno as runc (Go) words it: "no such file or directory".
const char *errno_text(int code);

/// Writes s in double quotes, escaped as Go's %q does, and returns buf. Too long a string ends in "...".
char *quote(char *buf, size_t size, const char *s);

/// Replaces what is not UTF-8 by '?', and drops a character that was cut at the end. Returns the length.
size_t make_utf8(char *s, size_t len);

static inline void close_fd(const int *fd) {
  if (*fd >= 0) close(*fd);
}
static inline void free_pointer(void *p) { free(*(void **)p); }
static inline void close_dir(DIR **d) {
  if (*d != NULL) closedir(*d);
}
#define autoclose __attribute__((cleanup(close_fd)))
#define autofree __attribute__((cleanup(free_pointer)))
#define autoclosedir __attribute__((cleanup(close_dir)))

/// Memory that is given back all at once.
struct pool {
  struct pool_block *blocks;
};

void *pool_alloc(struct pool *p, size_t size);
char *pool_string(struct pool *p, const uint8_t *data, size_t len);
void pool_free(struct pool *p);

/// Makes room for one more item of `size` bytes in an array of *n and returns it, zeroed; NULL without memory.
void *pool_push(struct pool *p, void *array, size_t *n, size_t size);

/// Writes a whole string to a file that exists. -1 with errno.
int write_file(const char *path, const char *text);

/// Reads at most size - 1 bytes, adds a NUL, returns the length or -1 with errno.
ssize_t read_file(const char *path, char *buf, size_t size);

uint64_t boot_ns(void);

/// openat2(2); how is a set of RESOLVE_* flags.
int open_resolve(int dirfd, const char *path, int flags, mode_t mode, uint64_t how);

#endif
