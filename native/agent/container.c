// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "agent.h"

#define DISK_WAIT_NS (30 * UINT64_C(1000000000))
#define BIND_SLACK (UINT64_C(16) << 20)

// A directory of the bind area; its time is set when nothing more is put into it.
struct dir_time {
  char *path;
  uint64_t mtime;
};

static struct watch dev_watch = {.fd = -1};

struct container *container_find(uint32_t id) {
  struct container *c = agent.containers;
  while (c != NULL && (c->id != id || c->state == CONTAINER_ENDED)) c = c->next;
  return c;
}

static void container_fail(struct container *c) {
  c->state = CONTAINER_FAILED;
  send_failed(c->id, &c->error);
  processes_release(c);
}

static const char *below(const struct container *c, const char *name) {
  static char path[sizeof c->dir + 16];
  snprintf(path, sizeof path, "%s/%s", c->dir, name);
  return path;
}

static int make_bind_area(struct container *c) {
  char data[64];
  uint64_t size = c->desc.bind_size > UINT64_MAX / 2 ? UINT64_MAX / 2 : c->desc.bind_size;
  snprintf(data, sizeof data, "mode=755,nr_inodes=0,size=%llu", (unsigned long long)(size + size / 8 + BIND_SLACK));
  const char *path = below(c, "bind");
  if (mkdir(path, 0755) < 0 || mount("vxn", path, "tmpfs", 0, data) < 0)
    return fail(&c->error, errno, "making the bind area: %s", errno_text(errno));
  c->mounted_bind = true;
  return 0;
}

static int make_cgroup(struct container *c, const char *name) {
  if (agent.cgroup_base[0] == '\0') return 0;
  snprintf(c->cgroup, sizeof c->cgroup, "%s/%s", agent.cgroup_base, name);
  if (mkdir(c->cgroup, 0755) < 0) return fail(&c->error, errno, "mkdir %s: %s", c->cgroup, errno_text(errno));
  c->cgroup_fd = open(c->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return c->cgroup_fd < 0 ? fail(&c->error, errno, "open %s: %s", c->cgroup, errno_text(errno)) : 0;
}

// 1: mounted, 0: not there yet, -1: failed.
static int mount_root(struct container *c) {
  char root[sizeof c->dir + 16];
  snprintf(root, sizeof root, "%s", below(c, "root"));
  const char *disk = c->desc.root_disk;
  const char *dir = agent.pid1 ? NULL : disk == NULL ? agent.test_root : strncmp(disk, "dir:", 4) == 0 ? disk + 4 : NULL;
  if (dir != NULL) {
    if (mount(dir, root, NULL, MS_BIND | MS_REC, NULL) < 0)
      return fail(&c->error, errno, "mounting %.256s as root: %s", dir, errno_text(errno));
    c->mounted_root = true;
    return 1;
  }
  if (disk == NULL || !is_plain_path(disk) || strlen(disk) > 64)
    return fail(&c->error, EINVAL, "the container has no usable root disk");

  char device[80];
  struct stat st;
  snprintf(device, sizeof device, "/dev/%s", disk);
  if (stat(device, &st) < 0 || !S_ISBLK(st.st_mode)) return 0;
  // Always writable, so that mount points can be made; the container's view is made read-only by its own mount.
  int rc = mount(device, root, c->desc.root_fstype, 0, NULL);
  if (rc < 0 && c->desc.root_readonly && (errno == EROFS || errno == EACCES))
    rc = mount(device, root, c->desc.root_fstype, MS_RDONLY, NULL);
  if (rc < 0)
    return fail(&c->error, errno, "mounting root disk %s (%.64s): %s", disk, c->desc.root_fstype, errno_text(errno));
  c->mounted_root = true;
  return 1;
}

static void try_root(struct container *c) {
  int got = c->mounted_root ? 1 : mount_root(c);
  if (got == 1) got = network_ready(&c->error);
  if (got == 0 && boot_ns() < c->deadline_ns) return;
  if (got == 0 && c->mounted_root) network_missing(&c->error);
  if (got == 0 && !c->mounted_root) fail(&c->error, ETIMEDOUT, "root disk %s did not appear", c->desc.root_disk);
  if (got <= 0) {
    container_fail(c);
    return;
  }
  c->state = CONTAINER_READY;
  uint8_t now[8];
  vxn_put64(now, boot_ns());
  channel_send(VXN_G_CONTAINER_OK, c->id, now, sizeof now);
  processes_release(c);
}

static void dev_changed(struct watch *w, uint32_t events) {
  (void)events;
  char buf[4096];
  while (read(w->fd, buf, sizeof buf) > 0) continue;
  containers_check_disks();
}

static void watch_dev(void) {
  if (dev_watch.fd >= 0) return;
  dev_watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (dev_watch.fd < 0) return;
  if (inotify_add_watch(dev_watch.fd, "/dev", IN_CREATE) < 0 || watch_add(&dev_watch, EPOLLIN, dev_changed) < 0) {
    agent_log("watching /dev: %s", errno_text(errno));
    close(dev_watch.fd);
    dev_watch.fd = -1;
  }
}

void containers_check_disks(void) {
  for (struct container *c = agent.containers; c != NULL; c = c->next)
    if (c->state == CONTAINER_WAITING) try_root(c);
}

int containers_timeout(void) {
  uint64_t first = UINT64_MAX, now = boot_ns();
  for (const struct container *c = agent.containers; c != NULL; c = c->next)
    if (c->state == CONTAINER_WAITING && c->deadline_ns < first) first = c->deadline_ns;
  if (first == UINT64_MAX) return -1;
  return first <= now ? 0 : (int)((first - now) / 1000000 + 1);
}

void container_create(uint32_t id, const uint8_t *payload, size_t len) {
  static unsigned serial;
  struct error e;
  struct container *c = container_find(id);
  if (c != NULL && c->state == CONTAINER_FAILED) {
    container_end(c);
  } else if (c != NULL) {
    agent_log("container %u exists already", id);
    return;
  }
  c = calloc(1, sizeof *c);
  if (c == NULL) {
    fail(&e, ENOMEM, "out of memory");
    send_failed(id, &e);
    return;
  }
  c->id = id;
  c->cgroup_fd = c->file_fd = -1;
  c->deadline_ns = boot_ns() + DISK_WAIT_NS;
  c->next = agent.containers;
  agent.containers = c;

  char name[32];
  snprintf(name, sizeof name, "%u.%u", id, ++serial);
  snprintf(c->dir, sizeof c->dir, "%s/%s", agent.state_dir, name);
  if (parse_container(&c->desc, payload, len, &c->error) < 0) {
    container_fail(c);
    return;
  }
  if (mkdir(c->dir, 0700) < 0 || mkdir(below(c, "root"), 0755) < 0) {
    fail(&c->error, errno, "mkdir %s: %s", c->dir, errno_text(errno));
    container_fail(c);
    return;
  }
  if (make_bind_area(c) < 0 || make_cgroup(c, name) < 0) {
    container_fail(c);
    return;
  }
  watch_dev();  // before looking, so that nothing appears unseen between
  try_root(c);
}

static int close_file(struct container *c) {
  if (c->file_fd < 0) return 0;
  struct timespec times[2] = {{.tv_sec = (time_t)c->file_mtime}, {.tv_sec = (time_t)c->file_mtime}};
  int rc = futimens(c->file_fd, times);
  close(c->file_fd);
  c->file_fd = -1;
  return rc;
}

// Opens the directory that an entry of the bind area belongs to; *name is the entry's last component.
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

static int remember_dir(struct container *c, const char *path, uint64_t mtime) {
  struct dir_time *t = pool_push(&c->desc.pool, &c->dir_times, &c->n_dir_times, sizeof *t);
  if (t == NULL) return -1;
  *t = (struct dir_time){.path = pool_string(&c->desc.pool, (const uint8_t *)path, strlen(path)), .mtime = mtime};
  return t->path == NULL ? -1 : 0;
}

static int make_entry(struct container *c, int parent, const char *name, const struct file_desc *f) {
  mode_t mode = f->mode & 07777;
  switch (f->mode & S_IFMT) {
    case S_IFREG:
      c->file_fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      c->file_mtime = f->mtime;
      if (c->file_fd < 0 || fchown(c->file_fd, f->uid, f->gid) < 0) return -1;
      return fchmod(c->file_fd, mode);
    case S_IFDIR:
      if (mkdirat(parent, name, 0700) < 0 || remember_dir(c, f->path, f->mtime) < 0) return -1;
      break;
    case S_IFIFO:
      if (mkfifoat(parent, name, 0600) < 0) return -1;
      break;
    case S_IFLNK:
      if (f->link == NULL) {
        errno = EINVAL;
        return -1;
      }
      if (symlinkat(f->link, parent, name) < 0) return -1;
      return fchownat(parent, name, f->uid, f->gid, AT_SYMLINK_NOFOLLOW);
    default:  // devices come as DEVICE records only; sockets mean nothing without their server
      errno = EPERM;
      return -1;
  }
  if (fchownat(parent, name, f->uid, f->gid, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  return fchmodat(parent, name, mode, 0);
}

void container_file(uint32_t id, const uint8_t *payload, size_t len) {
  struct container *c = container_find(id);
  if (c == NULL || c->state == CONTAINER_FAILED) return;
  struct file_desc f = {0};
  const char *name;
  int rc = parse_file(&f, payload, len, &c->error);
  if (rc == 0) {
    autoclose int bind_fd = open(below(c, "bind"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    autoclose int parent = bind_fd < 0 ? -1 : open_parent(bind_fd, f.path, &name);
    if (close_file(c) < 0 || parent < 0 || make_entry(c, parent, name, &f) < 0)
      rc = fail(&c->error, errno, "bind area: %.512s: %s", f.path, errno_text(errno));
  }
  pool_free(&f.pool);
  if (rc < 0) container_fail(c);
}

void container_file_data(uint32_t id, const uint8_t *payload, size_t len) {
  struct container *c = container_find(id);
  if (c == NULL || c->state == CONTAINER_FAILED) return;
  while (len > 0) {
    ssize_t n = c->file_fd < 0 ? -1 : write(c->file_fd, payload, len);
    if (n < 0) {
      int code = c->file_fd < 0 ? EBADF : errno;
      fail(&c->error, code, "bind area: writing a file: %s", errno_text(code));
      container_fail(c);
      return;
    }
    payload += n;
    len -= (size_t)n;
  }
}

int container_seal(struct container *c, struct error *e) {
  if (close_file(c) < 0) return fail(e, errno, "bind area: closing a file: %s", errno_text(errno));
  if (c->n_dir_times == 0) return 0;
  autoclose int bind_fd = open(below(c, "bind"), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; i < c->n_dir_times; i++) {
    const struct dir_time *t = &c->dir_times[i];
    struct timespec times[2] = {{.tv_sec = (time_t)t->mtime}, {.tv_sec = (time_t)t->mtime}};
    utimensat(bind_fd, t->path, times, AT_SYMLINK_NOFOLLOW);
  }
  c->n_dir_times = 0;
  c->dir_times = NULL;
  return 0;
}

static void unmount(const char *path) {
  if (umount2(path, UMOUNT_NOFOLLOW) < 0) umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH);
  rmdir(path);
}

static void give_back_mounts(const struct container *c) {
  if (c->mounted_root) unmount(below(c, "root"));
  rmdir(below(c, "root"));
  if (c->mounted_bind) unmount(below(c, "bind"));
  rmdir(c->dir);
}

void container_end(struct container *c) {
  c->state = CONTAINER_ENDED;
  c->init = NULL;
  // Writing back a disk may take seconds, in which other containers go on.
  pid_t pid = fork();
  if (pid == 0) {
    give_back_mounts(c);
    _exit(0);
  }
  if (pid > 0) c->mounted_root = c->mounted_bind = false;
}

void containers_collect(void) {
  for (struct container **at = &agent.containers; *at != NULL;) {
    struct container *c = *at;
    const struct process *p = agent.processes;
    while (p != NULL && p->container != c) p = p->next;
    if (c->state != CONTAINER_ENDED || p != NULL) {
      at = &c->next;
      continue;
    }
    *at = c->next;
    if (c->file_fd >= 0) close(c->file_fd);
    if (c->cgroup_fd >= 0) close(c->cgroup_fd);
    if (c->cgroup[0] != '\0') cgroup_remove(c->cgroup);
    pool_free(&c->desc.pool);
    free(c);
  }
}

void containers_unmount(void) {
  for (struct container *c = agent.containers; c != NULL; c = c->next) {
    close_file(c);
    give_back_mounts(c);
    c->state = CONTAINER_ENDED;
  }
}

// Calls fn for each process of a cgroup and of those below it. Signalling while reading misses what forks meanwhile,
// as any walk does; SIGKILL goes through cgroup.kill instead.
static void each_pid(const char *cgroup, void (*fn)(pid_t, void *), void *ctx) {
  char path[4096];
  snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
  FILE *f = fopen(path, "re");
  if (f != NULL) {
    int pid;
    while (fscanf(f, "%d", &pid) == 1)
      if (pid > 0) fn(pid, ctx);
    fclose(f);
  }
  autoclosedir DIR *d = opendir(cgroup);
  for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", cgroup, entry->d_name) < sizeof path) each_pid(path, fn, ctx);
  }
}

static void count_pid(pid_t pid, void *ctx) {
  (void)pid;
  ++*(uint32_t *)ctx;
}

uint32_t container_pids(const struct container *c) {
  uint32_t n = 0;
  if (c->cgroup[0] != '\0') each_pid(c->cgroup, count_pid, &n);
  return n;
}

static void signal_pid(pid_t pid, void *ctx) { kill(pid, *(int *)ctx); }

void container_signal_all(struct container *c, int signal) {
  char path[sizeof c->cgroup + 16];
  snprintf(path, sizeof path, "%s/cgroup.kill", c->cgroup);
  if (signal == SIGKILL && c->cgroup[0] != '\0' && write_file(path, "1") == 0) return;
  if (c->cgroup[0] != '\0') {
    each_pid(c->cgroup, signal_pid, &signal);
    return;
  }
  for (struct process *p = agent.processes; p != NULL; p = p->next)
    if (p->container == c && p->pid > 0) kill(p->pid, signal);
}
