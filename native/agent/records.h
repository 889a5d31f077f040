// SPDX-License-Identifier: MIT
// CONTAINER, PROCESS and FILE payloads as structures. Pure: bytes in, structure or error out.
#ifndef VXN_AGENT_RECORDS_H
#define VXN_AGENT_RECORDS_H

#include <linux/filter.h>

#include "error.h"
#include "pool.h"

struct mount_desc {
  const char *type, *dest, *data, *bind;  ///< type or bind is NULL
  uint64_t flags, propagation;
};

struct device_desc {
  const char *path;
  char type;
  uint32_t major, minor, mode, uid, gid;
};

struct sysctl_desc {
  const char *key, *value;
};

struct container_desc {
  struct pool pool;
  const char *root_disk, *root_fstype, *hostname, *domainname;
  bool root_readonly;
  uint64_t bind_size, root_propagation;
  struct mount_desc *mounts;
  const char **masked, **readonly;
  struct sysctl_desc *sysctls;
  struct device_desc *devices;
  size_t n_mounts, n_masked, n_readonly, n_sysctls, n_devices;
};

struct rlimit_desc {
  uint32_t resource;
  uint64_t soft, hard;
};

struct caps_desc {
  uint64_t bounding, effective, inheritable, permitted, ambient;
};

enum hook_stage { HOOK_CREATE_CONTAINER = 1, HOOK_START_CONTAINER = 2 };

struct hook_desc {
  uint32_t stage;
  const char *path, *input;  ///< input goes to its stdin
  char **argv, **envp;       ///< both end with NULL
  size_t n_argv, n_envp;
  uint32_t timeout;  ///< seconds, 0: none
};

struct process_desc {
  struct pool pool;
  uint32_t container;
  bool init, no_new_privileges, has_oom_score_adj, terminal;
  char **argv, **envp;  ///< both end with NULL
  const char *cwd;
  uint32_t uid, gid, umask;
  uint32_t *groups;
  struct rlimit_desc *rlimits;
  size_t n_argv, n_envp, n_groups, n_rlimits;
  struct caps_desc caps;
  int32_t oom_score_adj;
  uint16_t rows, cols;
  uint32_t seccomp_flags;
  struct sock_filter *seccomp;
  size_t n_seccomp;  ///< instructions; 0: no filter
  struct hook_desc *hooks;
  size_t n_hooks;
};

struct file_desc {
  struct pool pool;
  const char *path, *link;
  uint32_t mode, uid, gid;
  uint64_t mtime;
  bool has_rdev;
};

/// The structure comes zeroed; free its pool whatever the answer.
int parse_container(struct container_desc *d, const uint8_t *data, size_t len, struct error *e);
int parse_process(struct process_desc *d, const uint8_t *data, size_t len, struct error *e);
int parse_file(struct file_desc *d, const uint8_t *data, size_t len, struct error *e);

/// True for a relative path of ordinary components: none empty, "." or "..".
bool is_plain_path(const char *path);

#endif
