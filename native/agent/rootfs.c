// SPDX-License-Identifier: MIT
// Runs in the child, in its own mount namespace, before the root is changed. Every path of the container is resolved by
// the kernel inside the root (RESOLVE_IN_ROOT), so no link of the image leads out of it; mounts then go to the descriptor
// found, by way of /proc/self/fd.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "agent.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LINKS_MAX 40

// Flags that make sense when a bind mount is mounted again to change it.
#define REMOUNT_FLAGS \
  (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)

struct fd_path {
  char text[32];
};

static struct fd_path fd_path(int fd) {
  struct fd_path p;
  snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
  return p;
}

static int open_in_root(int root, const char *path, int flags) { return open_resolve(root, path, flags, 0, IN_ROOT); }

static int join_path(char *out, const char *a, size_t a_len, const char *b, const char *rest) {
  int n = snprintf(out, PATH_MAX, "%.*s/%s%s", (int)a_len, a, b, rest);
  if (n >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return 0;
}

static int make_in_root(int root, const char *path, bool dir, int links);

// A link that leads to nothing: what it leads to is made, inside the root.
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
  return make_in_root(root, path, dir, links + 1);
}

// Opens (O_PATH) what is at the path, after making what is missing: directories, and last a directory or an empty file.
static int make_in_root(int root, const char *path, bool dir, int links) {
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
  autoclose int to = make_in_root(root, m->dest, S_ISDIR(st.st_mode), 0);
  if (to < 0) return -1;
  if (mount(fd_path(from).text, fd_path(to).text, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
  unsigned long flags = (unsigned long)m->flags & REMOUNT_FLAGS;
  return flags == 0 ? 0 : remount(root, m->dest, flags);
}

// A tmpfs takes over the mode of the directory that it covers, so that /tmp stays open to everybody.
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
    autoclose int link = open_resolve(root, m->dest, O_PATH | O_NOFOLLOW, 0, IN_ROOT);
    struct stat st;
    if (link >= 0 && fstat(link, &st) == 0 && !S_ISDIR(st.st_mode)) {
      errno = ENOTDIR;
      return -1;
    }
  }
  autoclose int to = make_in_root(root, m->dest, true, 0);
  if (to < 0) return -1;
  if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0) {
    type = "cgroup2";
    data = NULL;
  }
  if (strcmp(type, "tmpfs") == 0) data = tmpfs_data(to, data, buf, sizeof buf);
  if (is_dev_tmpfs(m)) flags &= ~(unsigned long)MS_RDONLY;  // when the devices are in it
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

// ---- Devices

static int make_device(int root, const struct device_desc *d) {
  char parent_path[PATH_MAX];
  const char *slash = strrchr(d->path, '/');
  const char *name = slash + 1;
  if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    errno = EINVAL;
    return -1;
  }
  if (join_path(parent_path, d->path, (size_t)(slash - d->path), "", "") < 0) return -1;
  autoclose int parent = make_in_root(root, parent_path, true, 0);
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

static int make_devices(int root, const struct device_desc *list, size_t n, struct error *e) {
  for (size_t i = 0; i < n; i++) {
    if (make_device(root, &list[i]) == 0) continue;
    int code = errno;
    return fail(e, code, "creating device node %.512s: %s", list[i].path, errno_text(code));
  }
  return 0;
}

static int make_default_devices(int root, struct error *e) {
  static const struct device_desc nodes[] = {
      {"/dev/null", 'c', 1, 3, 0666, 0, 0},   {"/dev/zero", 'c', 1, 5, 0666, 0, 0},
      {"/dev/full", 'c', 1, 7, 0666, 0, 0},   {"/dev/random", 'c', 1, 8, 0666, 0, 0},
      {"/dev/urandom", 'c', 1, 9, 0666, 0, 0}, {"/dev/tty", 'c', 5, 0, 0666, 0, 0},
  };
  static const char *const links[][2] = {
      {"fd", "/proc/self/fd"},         {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
      {"stderr", "/proc/self/fd/2"},   {"ptmx", "pts/ptmx"},
  };
  if (make_devices(root, nodes, sizeof nodes / sizeof *nodes, e) < 0) return -1;
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

// ---- Terminal

int terminal_open(int rootfd, struct terminal *t, struct error *e) {
  int off = 0;
  t->master = open_in_root(rootfd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (t->master < 0) t->master = open_in_root(rootfd, "/dev/ptmx", O_RDWR | O_NOCTTY);
  if (t->master < 0) return fail(e, errno, "open /dev/ptmx: %s", errno_text(errno));
  if (ioctl(t->master, TIOCSPTLCK, &off) == 0) t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return t->slave < 0 ? fail(e, errno, "opening a terminal: %s", errno_text(errno)) : 0;
}

static int bind_console(int root, const struct terminal *t, struct error *e) {
  autoclose int to = make_in_root(root, "/dev/console", false, 0);
  if (to >= 0 && mount(fd_path(t->slave).text, fd_path(to).text, NULL, MS_BIND, NULL) == 0) return 0;
  return fail(e, errno, "mounting the terminal at /dev/console: %s", errno_text(errno));
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
  // As sysctl(8) reads names: the first separator decides, and the other one is a part of a name, such as an interface's.
  char *name = path + sizeof "/proc/sys";
  if (name[strcspn(name, "./")] == '.')
    for (char *c = name; *c != '\0'; c++) *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
  if (!is_plain_path(name)) return fail(e, EINVAL, "sysctl %.256s: not the name of a kernel parameter", s->key);
  if (write_file(path, s->value) == 0) return 0;
  int code = errno;
  if (code == ENOENT) return fail(e, code, "sysctl %.256s: the guest's kernel has no such parameter", s->key);
  return fail(e, code, "error setting sysctl %.256s to \"%.128s\": %s", s->key, s->value, errno_text(code));
}

// ---- All of it

// The old root goes away with all that was mounted in it. A root that is the initramfs itself cannot be exchanged, only
// covered; the agent leaves it at boot, so that is for a kernel where it could not.
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

int rootfs_enter(const struct child_plan *plan, struct terminal *t, struct error *e) {
  const struct container_desc *d = &plan->container->desc;
  char path[sizeof plan->container->dir + 16];
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(e, errno, "making mounts private: %s", errno_text(errno));
  snprintf(path, sizeof path, "%s/root", plan->container->dir);
  autoclose int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  snprintf(path, sizeof path, "%s/bind", plan->container->dir);
  autoclose int bind_area = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || bind_area < 0) return fail(e, errno, "opening the root: %s", errno_text(errno));

  // As with runc, /dev is left alone only when the configuration brings one of its own.
  bool own_dev = true;
  for (size_t i = 0; i < d->n_mounts; i++) {
    if (apply_mount(root, bind_area, &d->mounts[i], e) < 0) return -1;
    if (d->mounts[i].bind != NULL && is_dev(d->mounts[i].dest)) own_dev = false;
  }
  if (own_dev && make_default_devices(root, e) < 0) return -1;
  if (make_devices(root, d->devices, d->n_devices, e) < 0) return -1;
  if (plan->process->terminal) {
    if (terminal_open(root, t, e) < 0) return -1;
    if (own_dev && bind_console(root, t, e) < 0) return -1;
  }
  // As runc does, for the first process only.
  autoclose int cwd = make_in_root(root, plan->process->cwd, true, 0);
  if (cwd < 0) {
    int code = errno;
    char text[600];
    return fail(e, code, "mkdir %s: %s", quote(text, sizeof text, plan->process->cwd), errno_text(code));
  }
  for (size_t i = 0; i < d->n_sysctls; i++)
    if (write_sysctl(&d->sysctls[i], e) < 0) return -1;
  if (guard(root, d->readonly, d->n_readonly, make_readonly, "making read-only", e) < 0) return -1;
  if (guard(root, d->masked, d->n_masked, mask, "masking", e) < 0) return -1;
  for (size_t i = 0; i < d->n_mounts; i++) {
    const struct mount_desc *m = &d->mounts[i];
    if (is_dev_tmpfs(m) && (m->flags & MS_RDONLY) != 0 && remount(root, m->dest, (unsigned long)m->flags & REMOUNT_FLAGS) < 0)
      return fail(e, errno, "making /dev read-only: %s", errno_text(errno));
  }
  if (hooks_run(plan->process, HOOK_CREATE_CONTAINER, root, e) < 0) return -1;
  if (change_root(root, e) < 0) return -1;
  if (d->root_propagation != 0 && mount(NULL, "/", NULL, (unsigned long)d->root_propagation, NULL) < 0)
    return fail(e, errno, "propagation of the root: %s", errno_text(errno));
  if (d->root_readonly) {
    autoclose int self = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | mount_flags(self), NULL) < 0)
      return fail(e, errno, "making the root read-only: %s", errno_text(errno));
  }
  return 0;
}
