// SPDX-License-Identifier: MIT
#include "records.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/resource.h>

static int no_memory(struct error *e) { return fail(e, ENOMEM, "out of memory"); }

static int malformed(const struct vxn_record *r, struct error *e) {
  return fail(e, EINVAL, "malformed record 0x%04x of %u bytes", r->tag, r->length);
}

static int take_string(struct pool *p, const struct vxn_record *r, const char **out, struct error *e) {
  if (r->length > 0 && memchr(r->value, 0, r->length) != NULL)
    return fail(e, EINVAL, "record 0x%04x holds a NUL byte", r->tag);
  *out = pool_string(p, r->value, r->length);
  return *out == NULL ? no_memory(e) : 0;
}

static int take_u32(const struct vxn_record *r, uint32_t *out, struct error *e) {
  if (r->length != 4) return malformed(r, e);
  *out = vxn_get32(r->value);
  return 0;
}

static int take_u64(const struct vxn_record *r, uint64_t *out, struct error *e) {
  if (r->length != 8) return malformed(r, e);
  *out = vxn_get64(r->value);
  return 0;
}

static int take_flag(const struct vxn_record *r, bool *out, struct error *e) {
  if (r->length != 0) return malformed(r, e);
  *out = true;
  return 0;
}

static int push_string(struct pool *p, const struct vxn_record *r, void *array, size_t *n, struct error *e) {
  const char **slot = pool_push(p, array, n, sizeof *slot);
  return slot == NULL ? no_memory(e) : take_string(p, r, slot, e);
}

// Walks the records of a payload and hands each to fn.
typedef int (*record_fn)(void *desc, struct pool *p, const struct vxn_record *r, struct error *e);

static int each_record(const uint8_t *data, size_t len, record_fn fn, void *desc, struct pool *p, struct error *e) {
  struct vxn_record r;
  for (;;) {
    int got = vxn_next_record(&data, &len, &r);
    if (got == 0) return 0;
    if (got < 0) return fail(e, EINVAL, "malformed records");
    if (fn(desc, p, &r, e) < 0) return -1;
  }
}

static int unknown(const struct vxn_record *r, const char *where, struct error *e) {
  return fail(e, EINVAL, "unknown record 0x%04x in %s", r->tag, where);
}

static int mount_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct mount_desc *m = desc;
  switch (r->tag) {
    case VXN_T_MOUNT_TYPE:
      return take_string(p, r, &m->type, e);
    case VXN_T_MOUNT_DEST:
      return take_string(p, r, &m->dest, e);
    case VXN_T_MOUNT_FLAGS:
      return take_u64(r, &m->flags, e);
    case VXN_T_MOUNT_DATA:
      return take_string(p, r, &m->data, e);
    case VXN_T_MOUNT_BIND:
      return take_string(p, r, &m->bind, e);
    case VXN_T_MOUNT_PROPAGATION:
      return take_u64(r, &m->propagation, e);
    default:
      return unknown(r, "MOUNT", e);
  }
}

static int take_mount(struct container_desc *d, const struct vxn_record *r, struct error *e) {
  struct mount_desc *m = pool_push(&d->pool, &d->mounts, &d->n_mounts, sizeof *m);
  if (m == NULL) return no_memory(e);
  *m = (struct mount_desc){0};
  if (each_record(r->value, r->length, mount_record, m, &d->pool, e) < 0) return -1;
  if (m->dest == NULL || m->dest[0] != '/') return fail(e, EINVAL, "a mount needs an absolute destination");
  if ((m->type == NULL) == (m->bind == NULL))
    return fail(e, EINVAL, "the mount at %.256s needs either a type or a bind", m->dest);
  if (m->bind != NULL && !is_plain_path(m->bind))
    return fail(e, EINVAL, "the mount at %.256s names no entry of the bind area", m->dest);
  return 0;
}

static int device_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct device_desc *d = desc;
  switch (r->tag) {
    case VXN_T_DEV_PATH:
      return take_string(p, r, &d->path, e);
    case VXN_T_DEV_TYPE:
      if (r->length != 1) return malformed(r, e);
      d->type = (char)r->value[0];
      return 0;
    case VXN_T_DEV_MAJOR:
      return take_u32(r, &d->major, e);
    case VXN_T_DEV_MINOR:
      return take_u32(r, &d->minor, e);
    case VXN_T_DEV_MODE:
      return take_u32(r, &d->mode, e);
    case VXN_T_DEV_UID:
      return take_u32(r, &d->uid, e);
    case VXN_T_DEV_GID:
      return take_u32(r, &d->gid, e);
    default:
      return unknown(r, "DEVICE", e);
  }
}

static int take_device(struct container_desc *d, const struct vxn_record *r, struct error *e) {
  struct device_desc *dev = pool_push(&d->pool, &d->devices, &d->n_devices, sizeof *dev);
  if (dev == NULL) return no_memory(e);
  *dev = (struct device_desc){.mode = 0666};
  if (each_record(r->value, r->length, device_record, dev, &d->pool, e) < 0) return -1;
  if (dev->path == NULL || dev->path[0] != '/') return fail(e, EINVAL, "a device needs an absolute path");
  if (dev->type != 'c' && dev->type != 'b' && dev->type != 'p')
    return fail(e, EINVAL, "the device %.256s has no known type", dev->path);
  return 0;
}

static int take_sysctl(struct container_desc *d, const struct vxn_record *r, struct error *e) {
  struct sysctl_desc *s = pool_push(&d->pool, &d->sysctls, &d->n_sysctls, sizeof *s);
  if (s == NULL) return no_memory(e);
  const uint8_t *nul = r->length == 0 ? NULL : memchr(r->value, 0, r->length);
  if (nul == NULL || nul == r->value) return malformed(r, e);
  size_t key = (size_t)(nul - r->value);
  s->key = pool_string(&d->pool, r->value, key);
  s->value = pool_string(&d->pool, nul + 1, r->length - key - 1);
  if (s->key == NULL || s->value == NULL) return no_memory(e);
  if (strlen(s->value) != r->length - key - 1) return malformed(r, e);
  return 0;
}

static int container_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct container_desc *d = desc;
  switch (r->tag) {
    case VXN_T_ROOT_DISK:
      return take_string(p, r, &d->root_disk, e);
    case VXN_T_ROOT_READONLY:
      return take_flag(r, &d->root_readonly, e);
    case VXN_T_ROOT_FSTYPE:
      return take_string(p, r, &d->root_fstype, e);
    case VXN_T_HOSTNAME:
      return take_string(p, r, &d->hostname, e);
    case VXN_T_DOMAINNAME:
      return take_string(p, r, &d->domainname, e);
    case VXN_T_MOUNT:
      return take_mount(d, r, e);
    case VXN_T_MASKED_PATH:
      return push_string(p, r, &d->masked, &d->n_masked, e);
    case VXN_T_READONLY_PATH:
      return push_string(p, r, &d->readonly, &d->n_readonly, e);
    case VXN_T_SYSCTL:
      return take_sysctl(d, r, e);
    case VXN_T_DEVICE:
      return take_device(d, r, e);
    case VXN_T_BIND_SIZE:
      return take_u64(r, &d->bind_size, e);
    case VXN_T_ROOT_PROPAGATION:
      return take_u64(r, &d->root_propagation, e);
    default:
      return unknown(r, "CONTAINER", e);
  }
}

int parse_container(struct container_desc *d, const uint8_t *data, size_t len, struct error *e) {
  d->root_fstype = "ext4";
  return each_record(data, len, container_record, d, &d->pool, e);
}

static int take_rlimit(struct process_desc *d, const struct vxn_record *r, struct error *e) {
  if (r->length != 24 || vxn_get32(r->value + 4) != 0) return malformed(r, e);
  struct rlimit_desc *l = pool_push(&d->pool, &d->rlimits, &d->n_rlimits, sizeof *l);
  if (l == NULL) return no_memory(e);
  *l = (struct rlimit_desc){vxn_get32(r->value), vxn_get64(r->value + 8), vxn_get64(r->value + 16)};
  if (l->resource >= RLIM_NLIMITS) return fail(e, EINVAL, "unknown rlimit %u", l->resource);
  return 0;
}

// Whether the program is a filter at all is the kernel's to check.
static int take_seccomp(struct process_desc *d, const struct vxn_record *r, struct error *e) {
  size_t size = sizeof *d->seccomp, n = r->length < 4 ? 0 : (r->length - 4) / size;
  if (n == 0 || n > BPF_MAXINSNS || r->length != 4 + n * size || d->n_seccomp > 0) return malformed(r, e);
  d->seccomp_flags = vxn_get32(r->value);
  if ((d->seccomp_flags & ~(uint32_t)(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW)) != 0)
    return fail(e, EINVAL, "unknown seccomp flags 0x%x", d->seccomp_flags);
  d->seccomp = pool_alloc(&d->pool, n * size);
  if (d->seccomp == NULL) return no_memory(e);
  d->n_seccomp = n;
  for (size_t i = 0; i < n; i++) {
    const uint8_t *from = r->value + 4 + i * size;
    d->seccomp[i] = (struct sock_filter){vxn_get16(from), from[2], from[3], vxn_get32(from + 4)};
  }
  return 0;
}

// Ends an array of strings with NULL.
static int end_strings(struct pool *p, char ***array, size_t n, struct error *e) {
  size_t count = n;
  if (pool_push(p, array, &count, sizeof **array) == NULL) return no_memory(e);
  (*array)[n] = NULL;
  return 0;
}

static int hook_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct hook_desc *h = desc;
  switch (r->tag) {
    case VXN_T_HOOK_STAGE:
      return take_u32(r, &h->stage, e);
    case VXN_T_HOOK_PATH:
      return take_string(p, r, &h->path, e);
    case VXN_T_HOOK_ARG:
      return push_string(p, r, &h->argv, &h->n_argv, e);
    case VXN_T_HOOK_ENV:
      return push_string(p, r, &h->envp, &h->n_envp, e);
    case VXN_T_HOOK_TIMEOUT:
      return take_u32(r, &h->timeout, e);
    case VXN_T_HOOK_INPUT:
      return take_string(p, r, &h->input, e);
    default:
      return unknown(r, "HOOK", e);
  }
}

static int take_hook(struct process_desc *d, const struct vxn_record *r, struct error *e) {
  struct hook_desc *h = pool_push(&d->pool, &d->hooks, &d->n_hooks, sizeof *h);
  if (h == NULL) return no_memory(e);
  *h = (struct hook_desc){.input = ""};
  if (each_record(r->value, r->length, hook_record, h, &d->pool, e) < 0) return -1;
  if (h->stage != HOOK_CREATE_CONTAINER && h->stage != HOOK_START_CONTAINER)
    return fail(e, EINVAL, "a hook of an unknown stage");
  if (h->path == NULL || h->path[0] != '/' || h->n_argv == 0)
    return fail(e, EINVAL, "a hook needs an absolute path and an argument");
  return end_strings(&d->pool, &h->argv, h->n_argv, e) < 0 ? -1 : end_strings(&d->pool, &h->envp, h->n_envp, e);
}

static int process_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct process_desc *d = desc;
  uint32_t *group;
  switch (r->tag) {
    case VXN_T_CONTAINER_ID:
      return take_u32(r, &d->container, e);
    case VXN_T_INIT:
      return take_flag(r, &d->init, e);
    case VXN_T_ARG:
      return push_string(p, r, &d->argv, &d->n_argv, e);
    case VXN_T_ENV:
      return push_string(p, r, &d->envp, &d->n_envp, e);
    case VXN_T_CWD:
      return take_string(p, r, &d->cwd, e);
    case VXN_T_UID:
      return take_u32(r, &d->uid, e);
    case VXN_T_GID:
      return take_u32(r, &d->gid, e);
    case VXN_T_GROUP:
      group = pool_push(p, &d->groups, &d->n_groups, sizeof *group);
      return group == NULL ? no_memory(e) : take_u32(r, group, e);
    case VXN_T_UMASK:
      return take_u32(r, &d->umask, e);
    case VXN_T_RLIMIT:
      return take_rlimit(d, r, e);
    case VXN_T_CAPS:
      if (r->length != 40) return malformed(r, e);
      d->caps = (struct caps_desc){vxn_get64(r->value), vxn_get64(r->value + 8), vxn_get64(r->value + 16),
                                   vxn_get64(r->value + 24), vxn_get64(r->value + 32)};
      return 0;
    case VXN_T_NO_NEW_PRIVILEGES:
      return take_flag(r, &d->no_new_privileges, e);
    case VXN_T_OOM_SCORE_ADJ:
      if (r->length != 4) return malformed(r, e);
      d->has_oom_score_adj = true;
      d->oom_score_adj = (int32_t)vxn_get32(r->value);
      return 0;
    case VXN_T_TERMINAL:
      if (r->length != 4) return malformed(r, e);
      d->terminal = true;
      d->rows = vxn_get16(r->value);
      d->cols = vxn_get16(r->value + 2);
      return 0;
    case VXN_T_SECCOMP:
      return take_seccomp(d, r, e);
    case VXN_T_HOOK:
      return take_hook(d, r, e);
    default:
      return unknown(r, "PROCESS", e);
  }
}

int parse_process(struct process_desc *d, const uint8_t *data, size_t len, struct error *e) {
  d->umask = 022;
  d->cwd = "/";
  if (each_record(data, len, process_record, d, &d->pool, e) < 0) return -1;
  if (d->n_argv == 0) return fail(e, EINVAL, "a process needs at least one argument");
  if (d->cwd[0] != '/') return fail(e, EINVAL, "cwd is not an absolute path");
  if (d->n_hooks > 0 && !d->init) return fail(e, EINVAL, "hooks are for a container's first process");
  return end_strings(&d->pool, &d->argv, d->n_argv, e) < 0 ? -1 : end_strings(&d->pool, &d->envp, d->n_envp, e);
}

static int file_record(void *desc, struct pool *p, const struct vxn_record *r, struct error *e) {
  struct file_desc *d = desc;
  switch (r->tag) {
    case VXN_T_FILE_PATH:
      return take_string(p, r, &d->path, e);
    case VXN_T_FILE_MODE:
      return take_u32(r, &d->mode, e);
    case VXN_T_FILE_UID:
      return take_u32(r, &d->uid, e);
    case VXN_T_FILE_GID:
      return take_u32(r, &d->gid, e);
    case VXN_T_FILE_MTIME:
      return take_u64(r, &d->mtime, e);
    case VXN_T_FILE_LINK:
      return take_string(p, r, &d->link, e);
    case VXN_T_FILE_RDEV:
      if (r->length != 8) return malformed(r, e);
      d->has_rdev = true;
      return 0;
    default:
      return unknown(r, "FILE", e);
  }
}

int parse_file(struct file_desc *d, const uint8_t *data, size_t len, struct error *e) {
  if (each_record(data, len, file_record, d, &d->pool, e) < 0) return -1;
  if (d->path == NULL || !is_plain_path(d->path)) return fail(e, EINVAL, "a file of the bind area needs a plain path");
  return 0;
}

bool is_plain_path(const char *path) {
  for (;;) {
    size_t len = strcspn(path, "/");
    if (len == 0 || (len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.')) return false;
    if (path[len] == '\0') return true;
    path += len + 1;
  }
}
