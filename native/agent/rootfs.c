// SPDX-License-Identifier: MIT
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "devices.h"
#include "file.h"
#include "hooks.h"
#include "in_root.h"
#include "text.h"

// Flags that make sense when a bind mount is mounted again to change it.
#define REMOUNT_FLAGS \
  (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)

// ---- Mounts

// Applies flags to a mount that exists already, as seen in this namespace only.
static int remount(int root, const char *dest, unsigned long flags) {
  autoclose int fd = open_in_root(root, dest, O_PATH);
  if (fd < 0) return -1;
  return mount(NULL, fd_path(fd).text, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

// The flags that a mount has now, as mount(2) takes them.
static unsigned long mount_flags(int fd) {
  static const struct {
    unsigned long st, ms;
  } map[] = {{ST_RDONLY, MS_RDONLY}, {ST_NOSUID, MS_NOSUID},   {ST_NODEV, MS_NODEV},           {ST_NOEXEC, MS_NOEXEC},
             {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME}, {ST_RELATIME, MS_RELATIME}};
  struct statvfs st;
  unsigned long flags = 0;
  if (fstatvfs(fd, &st) < 0) return 0;
  for (size_t i = 0; i < sizeof map / sizeof *map; i++)
    if ((st.f_flag & map[i].st) != 0) flags |= map[i].ms;
  return flags;
}

static int mount_bind(int root, int bind_area, const struct mount_desc *m) {
  struct stat st;
  autoclose int from = open_resolve(bind_area, m->bind, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (from < 0 || fstat(from, &st) < 0) return -1;
  autoclose int to = make_in_root(root, m->dest, S_ISDIR(st.st_mode));
  if (to < 0) return -1;
  if (mount(fd_path(from).text, fd_path(to).text, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
  unsigned long flags = (unsigned long)m->flags & REMOUNT_FLAGS;
  return flags == 0 ? 0 : remount(root, m->dest, flags);
}

// A tmpfs takes over the mode of the directory that it covers, so that /tmp stays open to
// everybody.
static char *tmpfs_data(int to, const char *data, char *buf, size_t size) {
  struct stat st;
  const char *given = data == NULL ? "" : data;
  if (fstat(to, &st) < 0 || strncmp(given, "mode=", 5) == 0 || strstr(given, ",mode=") != NULL) {
    snprintf(buf, size, "%s", given);
  } else {
    snprintf(buf, size, "mode=%04o%s%s", st.st_mode & 07777, given[0] == '\0' ? "" : ",", given);
  }
  return buf;
}

static bool is_dev(const char *dest) {
  size_t slashes = strspn(dest, "/");
  return strncmp(dest + slashes, "dev", 3) == 0 && dest[slashes + 3 + strspn(dest + slashes + 3, "/")] == '\0';
}

static bool is_dev_tmpfs(const struct mount_desc *m) {
  return m->type != NULL && strcmp(m->type, "tmpfs") == 0 && is_dev(m->dest);
}

static int mount_new(int root, const struct mount_desc *m) {
  char buf[4096];
  const char *type = m->type, *data = m->data;
  unsigned long flags = (unsigned long)m->flags & ~(unsigned long)(MS_BIND | MS_REC | MS_REMOUNT);
  if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0) {
    // Through a link these would end up where programs do not expect them to be guarded.
    autoclose int link = open_in_root(root, m->dest, O_PATH | O_NOFOLLOW);
    struct stat st;
    if (link >= 0 && fstat(link, &st) == 0 && !S_ISDIR(st.st_mode)) {
      errno = ENOTDIR;
      return -1;
    }
  }
  autoclose int to = make_in_root(root, m->dest, true);
  if (to < 0) return -1;
  if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
    type = "cgroup2";
    data = NULL;
  }
  if (strcmp(type, "tmpfs") == 0) data = tmpfs_data(to, data, buf, sizeof buf);
  if (is_dev_tmpfs(m)) flags &= ~(unsigned long)MS_RDONLY;  // see finish_dev()
  return mount(type, fd_path(to).text, type, flags, data);
}

static int apply_mount(int root, int bind_area, const struct mount_desc *m, struct error *e) {
  int rc = m->bind != NULL ? mount_bind(root, bind_area, m) : mount_new(root, m);
  if (rc == 0 && m->propagation != 0) {
    autoclose int fd = open_in_root(root, m->dest, O_PATH);
    rc = fd < 0 ? -1 : mount(NULL, fd_path(fd).text, NULL, (unsigned long)m->propagation, NULL);
  }
  if (rc == 0) return 0;
  int code = errno;
  char what[128], dest[600];
  return fail(e, code, "error mounting %s to rootfs at %s: %s",
              quote(what, sizeof what, m->bind != NULL ? m->bind : m->type), quote(dest, sizeof dest, m->dest),
              errno_text(code));
}

// ---- Guarded paths

static int make_readonly(int root, const char *path) {
  autoclose int fd = open_in_root(root, path, O_PATH);
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
  if (mount(fd_path(fd).text, fd_path(fd).text, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
  return remount(root, path, mount_flags(fd) | MS_RDONLY);
}

static int mask(int root, const char *path) {
  struct stat st;
  autoclose int fd = open_in_root(root, path, O_PATH);
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
  if (fstat(fd, &st) < 0) return -1;
  if (S_ISDIR(st.st_mode)) return mount("tmpfs", fd_path(fd).text, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1");
  return mount("/dev/null", fd_path(fd).text, NULL, MS_BIND, NULL);
}

static int guard(int root, const char *const *paths, size_t n, int (*how)(int, const char *), const char *what,
                 struct error *e) {
  for (size_t i = 0; i < n; i++) {
    if (how(root, paths[i]) == 0) continue;
    int code = errno;
    return fail(e, code, "%s %.512s: %s", what, paths[i], errno_text(code));
  }
  return 0;
}

static int write_sysctl(const struct sysctl_desc *s, struct error *e) {
  char path[PATH_MAX];
  if ((size_t)snprintf(path, sizeof path, "/proc/sys/%s", s->key) >= sizeof path)
    return fail(e, ENAMETOOLONG, "sysctl name too long");
  // As sysctl(8) reads names: the first separator decides, and the other one is a part of a name,
  // such as an interface's.
  char *name = path + sizeof "/proc/sys";
  if (name[strcspn(name, "./")] == '.')
    for (char *c = name; *c != '\0'; c++) *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
  if (!is_plain_path(name)) return fail(e, EINVAL, "sysctl %.256s: not the name of a kernel parameter", s->key);
  if (write_file(path, s->value) == 0) return 0;
  int code = errno;
  if (code == ENOENT) return fail(e, code, "sysctl %.256s: the guest's kernel has no such parameter", s->key);
  return fail(e, code, "error setting sysctl %.256s to \"%.128s\": %s", s->key, s->value, errno_text(code));
}

// ---- The whole

// The old root goes away with everything mounted in it. The initramfs itself cannot be exchanged,
// only covered. The agent leaves it at boot; MS_MOVE is for a kernel where that failed.
static int change_root(int root, struct error *e) {
  autoclose int old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (old < 0 || fchdir(root) < 0) return fail(e, errno, "entering the root: %s", errno_text(errno));
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    if (fchdir(old) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
      return fail(e, errno, "leaving the old root: %s", errno_text(errno));
    return 0;
  }
  if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
    return fail(e, errno, "pivot_root: %s", errno_text(errno));
  return 0;
}

// As with runc, /dev is left alone only when the configuration brings one of its own.
static bool brings_dev(const struct container_desc *c) {
  for (size_t i = 0; i < c->n_mounts; i++)
    if (c->mounts[i].bind != NULL && is_dev(c->mounts[i].dest)) return true;
  return false;
}

static int make_dev(int root, const struct container_desc *c, const struct process_desc *p, struct terminal *t,
                    struct error *e) {
  bool ours = !brings_dev(c);
  if (ours && devices_make_defaults(root, e) < 0) return -1;
  if (devices_make(root, c->devices, c->n_devices, e) < 0) return -1;
  if (!p->terminal) return 0;
  if (terminal_open(root, t, e) < 0) return -1;
  return ours ? terminal_bind_console(root, t, e) : 0;
}

// As runc does, for the first process only.
static int make_cwd(int root, const char *path, struct error *e) {
  autoclose int cwd = make_in_root(root, path, true);
  if (cwd >= 0) return 0;
  int code = errno;
  char text[600];
  return fail(e, code, "mkdir %s: %s", quote(text, sizeof text, path), errno_text(code));
}

// A tmpfs on /dev is read-only only now that the devices are in it.
static int finish_dev(int root, const struct container_desc *c, struct error *e) {
  for (size_t i = 0; i < c->n_mounts; i++) {
    const struct mount_desc *m = &c->mounts[i];
    if (is_dev_tmpfs(m) && (m->flags & MS_RDONLY) != 0 &&
        remount(root, m->dest, (unsigned long)m->flags & REMOUNT_FLAGS) < 0)
      return fail(e, errno, "making /dev read-only: %s", errno_text(errno));
  }
  return 0;
}

static int build(int root, int bind_area, const struct container_desc *c, const struct process_desc *p,
                 struct terminal *t, struct error *e) {
  for (size_t i = 0; i < c->n_mounts; i++)
    if (apply_mount(root, bind_area, &c->mounts[i], e) < 0) return -1;
  if (make_dev(root, c, p, t, e) < 0 || make_cwd(root, p->cwd, e) < 0) return -1;
  for (size_t i = 0; i < c->n_sysctls; i++)
    if (write_sysctl(&c->sysctls[i], e) < 0) return -1;
  if (guard(root, c->readonly, c->n_readonly, make_readonly, "making read-only", e) < 0) return -1;
  if (guard(root, c->masked, c->n_masked, mask, "masking", e) < 0) return -1;
  return finish_dev(root, c, e);
}

// The root's own mount, once it is the current root.
static int finish_root(const struct container_desc *c, struct error *e) {
  if (c->root_propagation != 0 && mount(NULL, "/", NULL, (unsigned long)c->root_propagation, NULL) < 0)
    return fail(e, errno, "propagation of the root: %s", errno_text(errno));
  if (!c->root_readonly) return 0;
  autoclose int self = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | mount_flags(self), NULL) < 0)
    return fail(e, errno, "making the root read-only: %s", errno_text(errno));
  return 0;
}

int rootfs_enter(const char *dir, const struct container_desc *c, const struct process_desc *p, struct terminal *t,
                 struct error *e) {
  char path[PATH_MAX];
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(e, errno, "making mounts private: %s", errno_text(errno));
  snprintf(path, sizeof path, "%s/root", dir);
  autoclose int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  snprintf(path, sizeof path, "%s/bind", dir);
  autoclose int bind_area = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || bind_area < 0) return fail(e, errno, "opening the root: %s", errno_text(errno));
  if (build(root, bind_area, c, p, t, e) < 0) return -1;
  if (hooks_run(p, HOOK_CREATE_CONTAINER, root, e) < 0) return -1;
  return change_root(root, e) < 0 ? -1 : finish_root(c, e);
}
