// SPDX-License-Identifier: MIT
#include "container.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "network.h"
#include "options.h"
#include "send.h"
#include "watch.h"

#define DISK_WAIT_NS (30 * UINT64_C(1000000000))

static struct container *containers;
static struct watch dev_watch = {.fd = -1};
static void (*settled)(struct container *c);

void containers_on_settled(void (*fn)(struct container *c)) { settled = fn; }

struct container *container_find(uint32_t id) {
  struct container *c = containers;
  while (c != NULL && (c->id != id || c->state == CONTAINER_ENDED)) c = c->next;
  return c;
}

static void settle(struct container *c, enum container_state state) {
  c->state = state;
  if (state == CONTAINER_FAILED) {
    send_failed(VXN_G_CONTAINER_FAILED, c->id, &c->error);
  } else {
    uint8_t now[8];
    vxn_put64(now, boot_ns());
    send_frame(VXN_G_CONTAINER_OK, c->id, now, sizeof now);
  }
  if (settled != NULL) settled(c);
}

// ---- The root

static const char *root_of(const struct container *c) {
  static char path[sizeof c->dir + 16];
  snprintf(path, sizeof path, "%s/root", c->dir);
  return path;
}

// In a test, a folder of the host takes the place of the disk; NULL otherwise.
static const char *test_folder(const char *disk) {
  if (options.pid1) return NULL;
  if (disk == NULL) return options.test_root;
  return strncmp(disk, "dir:", 4) == 0 ? disk + 4 : NULL;
}

// 1: mounted, 0: not there yet, -1: failed.
static int mount_disk(struct container *c, const char *disk) {
  const struct container_desc *d = &c->desc;
  char device[80];
  struct stat st;
  snprintf(device, sizeof device, "/dev/%s", disk);
  if (stat(device, &st) < 0 || !S_ISBLK(st.st_mode)) return 0;
  // Always writable, so that mount points can be made; the container's view is made read-only by
  // its own mount.
  int rc = mount(device, root_of(c), d->root_fstype, 0, NULL);
  if (rc < 0 && d->root_readonly && (errno == EROFS || errno == EACCES))
    rc = mount(device, root_of(c), d->root_fstype, MS_RDONLY, NULL);
  if (rc == 0) return 1;
  return fail(&c->error, errno, "mounting root disk %s (%.64s): %s", disk, d->root_fstype, errno_text(errno));
}

static int mount_root(struct container *c) {
  const char *disk = c->desc.root_disk, *folder = test_folder(disk);
  if (folder != NULL) {
    if (mount(folder, root_of(c), NULL, MS_BIND | MS_REC, NULL) == 0) return 1;
    return fail(&c->error, errno, "mounting %.256s as root: %s", folder, errno_text(errno));
  }
  if (disk == NULL || !is_plain_path(disk) || strlen(disk) > 64)
    return fail(&c->error, EINVAL, "the container has no usable root disk");
  return mount_disk(c, disk);
}

// ---- Waiting

static void try_to_settle(struct container *c) {
  int got = c->mounted_root ? 1 : mount_root(c);
  if (got == 1) {
    c->mounted_root = true;
    got = network_ready(&c->error);
  }
  if (got == 0 && boot_ns() < c->deadline_ns) return;
  if (got == 0 && c->mounted_root) network_missing(&c->error);
  if (got == 0 && !c->mounted_root) fail(&c->error, ETIMEDOUT, "root disk %s did not appear", c->desc.root_disk);
  settle(c, got <= 0 ? CONTAINER_FAILED : CONTAINER_READY);
}

void containers_check(void) {
  for (struct container *c = containers; c != NULL; c = c->next)
    if (c->state == CONTAINER_WAITING) try_to_settle(c);
}

int containers_timeout(void) {
  uint64_t first = UINT64_MAX, now = boot_ns();
  for (const struct container *c = containers; c != NULL; c = c->next)
    if (c->state == CONTAINER_WAITING && c->deadline_ns < first) first = c->deadline_ns;
  if (first == UINT64_MAX) return -1;
  return first <= now ? 0 : (int)((first - now) / 1000000 + 1);
}

static void dev_changed(struct watch *w, uint32_t events) {
  (void)events;
  char buf[4096];
  while (read(w->fd, buf, sizeof buf) > 0) continue;
  containers_check();
}

static void await_disks_and_network(void) {
  network_on_decided(containers_check);
  if (dev_watch.fd >= 0) return;
  dev_watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (dev_watch.fd < 0) return;
  if (inotify_add_watch(dev_watch.fd, "/dev", IN_CREATE) < 0 || watch_add(&dev_watch, EPOLLIN, dev_changed) < 0) {
    agent_log("watching /dev: %s", errno_text(errno));
    close(dev_watch.fd);
    dev_watch.fd = -1;
  }
}

// ---- Begin

static struct container *add(uint32_t id) {
  struct container *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->id = id;
  c->cgroup_fd = c->bind.file_fd = -1;
  c->deadline_ns = boot_ns() + DISK_WAIT_NS;
  c->next = containers;
  containers = c;
  return c;
}

// Everything that need not be waited for.
static int prepare(struct container *c, const uint8_t *payload, size_t len) {
  static unsigned serial;
  char name[32], bind[sizeof c->dir + 16];
  snprintf(name, sizeof name, "%u.%u", c->id, ++serial);
  snprintf(c->dir, sizeof c->dir, "%s/%s", options.state_dir, name);
  snprintf(bind, sizeof bind, "%s/bind", c->dir);
  bind_area_init(&c->bind, bind);
  if (parse_container(&c->desc, payload, len, &c->error) < 0) return -1;
  if (mkdir(c->dir, 0700) < 0 || mkdir(root_of(c), 0755) < 0)
    return fail(&c->error, errno, "mkdir %s: %s", c->dir, errno_text(errno));
  if (bind_area_mount(&c->bind, c->desc.bind_size, &c->error) < 0) return -1;
  return cgroup_make(c->cgroup, &c->cgroup_fd, name, &c->error);
}

void container_create(uint32_t id, const uint8_t *payload, size_t len) {
  struct container *c = container_find(id);
  if (c != NULL && c->state == CONTAINER_FAILED) {
    container_end(c);
  } else if (c != NULL) {
    agent_log("container %u exists already", id);
    return;
  }
  c = add(id);
  if (c == NULL) {
    struct error e;
    fail(&e, ENOMEM, "out of memory");
    send_failed(VXN_G_CONTAINER_FAILED, id, &e);
    return;
  }
  if (prepare(c, payload, len) < 0) {
    settle(c, CONTAINER_FAILED);
    return;
  }
  await_disks_and_network();  // before looking, so that nothing appears unseen between
  try_to_settle(c);
}

// The bind area may be filled only while the container is well.
static struct container *to_fill(uint32_t id) {
  struct container *c = container_find(id);
  return c == NULL || c->state == CONTAINER_FAILED ? NULL : c;
}

void container_file(uint32_t id, const uint8_t *payload, size_t len) {
  struct container *c = to_fill(id);
  if (c != NULL && bind_area_entry(&c->bind, payload, len, &c->error) < 0) settle(c, CONTAINER_FAILED);
}

void container_file_data(uint32_t id, const uint8_t *payload, size_t len) {
  struct container *c = to_fill(id);
  if (c != NULL && bind_area_data(&c->bind, payload, len, &c->error) < 0) settle(c, CONTAINER_FAILED);
}

// ---- End

static void unmount(const char *path) {
  if (umount2(path, UMOUNT_NOFOLLOW) < 0) umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH);
  rmdir(path);
}

static void give_back_mounts(const struct container *c) {
  if (c->mounted_root) unmount(root_of(c));
  rmdir(root_of(c));
  if (c->bind.mounted) unmount(c->bind.path);
  rmdir(c->dir);
}

void container_end(struct container *c) {
  c->state = CONTAINER_ENDED;
  // Writing back a disk may take seconds, in which other containers go on.
  pid_t pid = fork();
  if (pid == 0) {
    give_back_mounts(c);
    _exit(0);
  }
  if (pid > 0) c->mounted_root = c->bind.mounted = false;
}

void containers_collect(void) {
  for (struct container **at = &containers; *at != NULL;) {
    struct container *c = *at;
    if (c->state != CONTAINER_ENDED || c->users > 0) {
      at = &c->next;
      continue;
    }
    *at = c->next;
    bind_area_free(&c->bind);
    if (c->cgroup_fd >= 0) close(c->cgroup_fd);
    if (c->cgroup[0] != '\0') cgroup_remove(c->cgroup);
    pool_free(&c->desc.pool);
    free(c);
  }
}

void containers_unmount(void) {
  for (struct container *c = containers; c != NULL; c = c->next) {
    bind_area_free(&c->bind);
    give_back_mounts(c);
    c->state = CONTAINER_ENDED;
  }
}

void containers_kill(void) {
  for (struct container *c = containers; c != NULL; c = c->next)
    if (c->state != CONTAINER_ENDED) cgroup_signal(c->cgroup, SIGKILL);
}

uint32_t containers_pids(void) {
  uint32_t n = 0;
  for (const struct container *c = containers; c != NULL; c = c->next) n += cgroup_pids(c->cgroup);
  return n;
}
