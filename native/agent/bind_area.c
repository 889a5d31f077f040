// SPDX-License-Identifier: MIT
#include "bind_area.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "file.h"
#include "records.h"

#define SLACK (UINT64_C(16) << 20)

// A folder's time is set when nothing more is put into it.
struct dir_time {
  char *path;
  uint64_t mtime;
};

void bind_area_init(struct bind_area *b, const char *path) {
  b->file_fd = -1;
  snprintf(b->path, sizeof b->path, "%s", path);
}

int bind_area_mount(struct bind_area *b, uint64_t size, struct error *e) {
  char data[64];
  if (size > UINT64_MAX / 2) size = UINT64_MAX / 2;
  snprintf(data, sizeof data, "mode=755,nr_inodes=0,size=%llu", (unsigned long long)(size + size / 8 + SLACK));
  if (mkdir(b->path, 0755) < 0 || mount("vxn", b->path, "tmpfs", 0, data) < 0)
    return fail(e, errno, "making the bind area: %s", errno_text(errno));
  b->mounted = true;
  return 0;
}

static int close_file(struct bind_area *b) {
  if (b->file_fd < 0) return 0;
  struct timespec times[2] = {{.tv_sec = (time_t)b->file_mtime}, {.tv_sec = (time_t)b->file_mtime}};
  int rc = futimens(b->file_fd, times);
  close(b->file_fd);
  b->file_fd = -1;
  return rc;
}

// Opens the folder that an entry belongs to; *name is the entry's last component.
static int open_parent(int bind_fd, const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  *name = slash == NULL ? path : slash + 1;
  if (slash == NULL) return fcntl(bind_fd, F_DUPFD_CLOEXEC, 3);
  char parent[4096];
  if ((size_t)(slash - path) >= sizeof parent) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = '\0';
  return open_resolve(bind_fd, parent, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int remember_dir(struct bind_area *b, const char *path, uint64_t mtime) {
  struct dir_time *t = pool_push(&b->pool, &b->dir_times, &b->n_dir_times, sizeof *t);
  if (t == NULL) return -1;
  *t = (struct dir_time){.path = pool_string(&b->pool, (const uint8_t *)path, strlen(path)), .mtime = mtime};
  return t->path == NULL ? -1 : 0;
}

static int make_file(struct bind_area *b, int parent, const char *name, const struct file_desc *f) {
  b->file_fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  b->file_mtime = f->mtime;
  if (b->file_fd < 0 || fchown(b->file_fd, f->uid, f->gid) < 0) return -1;
  return fchmod(b->file_fd, f->mode & 07777);
}

static int make_link(int parent, const char *name, const struct file_desc *f) {
  if (f->link == NULL) {
    errno = EINVAL;
    return -1;
  }
  if (symlinkat(f->link, parent, name) < 0) return -1;
  return fchownat(parent, name, f->uid, f->gid, AT_SYMLINK_NOFOLLOW);
}

static int make_entry(struct bind_area *b, int parent, const char *name, const struct file_desc *f) {
  switch (f->mode & S_IFMT) {
    case S_IFREG:
      return make_file(b, parent, name, f);
    case S_IFLNK:
      return make_link(parent, name, f);
    case S_IFDIR:
      if (mkdirat(parent, name, 0700) < 0 || remember_dir(b, f->path, f->mtime) < 0) return -1;
      break;
    case S_IFIFO:
      if (mkfifoat(parent, name, 0600) < 0) return -1;
      break;
    default:  // devices come as DEVICE records only; sockets mean nothing without their server
      errno = EPERM;
      return -1;
  }
  if (fchownat(parent, name, f->uid, f->gid, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  return fchmodat(parent, name, f->mode & 07777, 0);
}

int bind_area_entry(struct bind_area *b, const uint8_t *payload, size_t len, struct error *e) {
  struct file_desc f = {0};
  const char *name;
  int rc = parse_file(&f, payload, len, e);
  if (rc == 0) {
    autoclose int bind_fd = open(b->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    autoclose int parent = bind_fd < 0 ? -1 : open_parent(bind_fd, f.path, &name);
    if (close_file(b) < 0 || parent < 0 || make_entry(b, parent, name, &f) < 0)
      rc = fail(e, errno, "bind area: %.512s: %s", f.path, errno_text(errno));
  }
  pool_free(&f.pool);
  return rc;
}

int bind_area_data(struct bind_area *b, const uint8_t *data, size_t len, struct error *e) {
  while (len > 0) {
    ssize_t n = b->file_fd < 0 ? -1 : write(b->file_fd, data, len);
    if (n < 0) {
      int code = b->file_fd < 0 ? EBADF : errno;
      return fail(e, code, "bind area: writing a file: %s", errno_text(code));
    }
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

int bind_area_seal(struct bind_area *b, struct error *e) {
  if (close_file(b) < 0) return fail(e, errno, "bind area: closing a file: %s", errno_text(errno));
  if (b->n_dir_times == 0) return 0;
  autoclose int bind_fd = open(b->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; i < b->n_dir_times; i++) {
    const struct dir_time *t = &b->dir_times[i];
    struct timespec times[2] = {{.tv_sec = (time_t)t->mtime}, {.tv_sec = (time_t)t->mtime}};
    utimensat(bind_fd, t->path, times, AT_SYMLINK_NOFOLLOW);
  }
  b->n_dir_times = 0;
  b->dir_times = NULL;
  return 0;
}

void bind_area_free(struct bind_area *b) {
  if (b->file_fd >= 0) close(b->file_fd);
  b->file_fd = -1;
  b->n_dir_times = 0;
  b->dir_times = NULL;
  pool_free(&b->pool);
}
