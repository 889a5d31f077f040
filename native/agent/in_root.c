// SPDX-License-Identifier: MIT
#include "in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "file.h"

#define LINKS_MAX 40

struct fd_path fd_path(int fd) {
  struct fd_path p;
  snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
  return p;
}

int open_in_root(int root, const char *path, int flags) {
  return open_resolve(root, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int join_path(char *out, const char *a, size_t a_len, const char *b, const char *rest) {
  int n = snprintf(out, PATH_MAX, "%.*s/%s%s", (int)a_len, a, b, rest);
  if (n >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return 0;
}

static int make(int root, const char *path, bool dir, int links);

// A link that leads to nothing: its target is made, inside the root.
static int make_link_target(int root, int parent, const char *name, const char *before, size_t before_len,
                            const char *rest, bool dir, int links) {
  char target[PATH_MAX], path[PATH_MAX];
  ssize_t n = readlinkat(parent, name, target, sizeof target - 1);
  if (n < 0) return -1;
  target[n] = '\0';
  if (links == LINKS_MAX) {
    errno = ELOOP;
    return -1;
  }
  if (target[0] == '/') before_len = 0;
  if (join_path(path, before, before_len, target, rest) < 0) return -1;
  return make(root, path, dir, links + 1);
}

static int make(int root, const char *path, bool dir, int links) {
  int found = open_in_root(root, path, O_PATH);
  if (found >= 0 || errno != ENOENT) return found;
  char prefix[PATH_MAX] = "";
  size_t len = 0;
  int at = open_in_root(root, "/", O_PATH | O_DIRECTORY);
  while (at >= 0) {
    path += strspn(path, "/");
    size_t part = strcspn(path, "/");
    if (part == 0) return at;
    autoclose int parent = at;
    const char *rest = path + part;
    bool last = rest[strspn(rest, "/")] == '\0';
    size_t before = len;
    if (part > NAME_MAX || len + part + 2 > sizeof prefix) {
      errno = ENAMETOOLONG;
      return -1;
    }
    prefix[len++] = '/';
    memcpy(prefix + len, path, part);
    len += part;
    prefix[len] = '\0';
    const char *name = prefix + before + 1;
    at = open_in_root(root, prefix, O_PATH);
    if (at < 0 && errno == ENOENT) {
      int rc = 0;
      if (dir || !last) {
        rc = mkdirat(parent, name, 0755);
      } else {
        autoclose int file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        rc = file < 0 ? -1 : 0;
      }
      if (rc < 0 && errno == EEXIST) return make_link_target(root, parent, name, prefix, before, rest, dir, links);
      if (rc < 0) return -1;
      at = open_in_root(root, prefix, O_PATH);
    }
    path = rest;
  }
  return -1;
}

int make_in_root(int root, const char *path, bool dir) { return make(root, path, dir, 0); }
