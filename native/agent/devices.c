// SPDX-License-Identifier: MIT
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "in_root.h"

static int make_device(int root, const struct device_desc *d) {
  char parent_path[PATH_MAX];
  const char *slash = strrchr(d->path, '/');
  const char *name = slash + 1;
  if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    errno = EINVAL;
    return -1;
  }
  if (join_path(parent_path, d->path, (size_t)(slash - d->path), "", "") < 0) return -1;
  autoclose int parent = make_in_root(root, parent_path, true);
  if (parent < 0) return -1;
  mode_t type = d->type == 'c' ? S_IFCHR : d->type == 'b' ? S_IFBLK : S_IFIFO;
  dev_t rdev = d->type == 'p' ? 0 : makedev(d->major, d->minor);
  if (mknodat(parent, name, type | 0600, rdev) < 0) {
    struct stat st;
    if (errno != EEXIST) return -1;
    bool same = fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type && st.st_rdev == rdev;
    if (!same && (unlinkat(parent, name, 0) < 0 || mknodat(parent, name, type | 0600, rdev) < 0)) return -1;
  }
  if (fchownat(parent, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  return fchmodat(parent, name, d->mode & 07777, 0);
}

int devices_make(int root, const struct device_desc *list, size_t n, struct error *e) {
  for (size_t i = 0; i < n; i++) {
    if (make_device(root, &list[i]) == 0) continue;
    int code = errno;
    return fail(e, code, "creating device node %.512s: %s", list[i].path, errno_text(code));
  }
  return 0;
}

int devices_make_defaults(int root, struct error *e) {
  static const struct device_desc nodes[] = {
      {"/dev/null", 'c', 1, 3, 0666, 0, 0},   {"/dev/zero", 'c', 1, 5, 0666, 0, 0},
      {"/dev/full", 'c', 1, 7, 0666, 0, 0},   {"/dev/random", 'c', 1, 8, 0666, 0, 0},
      {"/dev/urandom", 'c', 1, 9, 0666, 0, 0}, {"/dev/tty", 'c', 5, 0, 0666, 0, 0},
  };
  static const char *const links[][2] = {
      {"fd", "/proc/self/fd"},         {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
      {"stderr", "/proc/self/fd/2"},   {"ptmx", "pts/ptmx"},
  };
  if (devices_make(root, nodes, sizeof nodes / sizeof *nodes, e) < 0) return -1;
  autoclose int dev = open_in_root(root, "/dev", O_PATH | O_DIRECTORY);
  // A node that an image brings would open the guest's own terminals.
  unlinkat(dev, "ptmx", 0);
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    if (symlinkat(links[i][1], dev, links[i][0]) == 0 || errno == EEXIST) continue;
    int code = errno;
    return fail(e, code, "creating symlink /dev/%s: %s", links[i][0], errno_text(code));
  }
  return 0;
}
