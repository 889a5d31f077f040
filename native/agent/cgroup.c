// SPDX-License-Identifier: MIT
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "file.h"
#include "options.h"

static char base[160];  // empty: no cgroup2

// Lets the controllers that exist work in the cgroups below.
static void enable_controllers(void) {
  char path[sizeof base + 32], names[512], *rest = names;
  snprintf(path, sizeof path, "%s/cgroup.controllers", base);
  if (read_file(path, names, sizeof names) < 0) return;
  names[strcspn(names, "\n")] = '\0';
  snprintf(path, sizeof path, "%s/cgroup.subtree_control", base);
  for (char *name; (name = strsep(&rest, " ")) != NULL;) {
    char text[64];
    if (*name != '\0' && (size_t)snprintf(text, sizeof text, "+%s", name) < sizeof text) write_file(path, text);
  }
}

void cgroups_prepare(uint64_t tag) {
  FILE *mounts = setmntent("/proc/self/mounts", "re");
  if (mounts == NULL) return;
  struct mntent *m;
  while ((m = getmntent(mounts)) != NULL && strcmp(m->mnt_type, "cgroup2") != 0) continue;
  if (m != NULL && strlen(m->mnt_dir) < 100) {
    int n = snprintf(base, sizeof base, "%s", m->mnt_dir);
    if (!options.pid1) {
      snprintf(base + n, sizeof base - (size_t)n, "/vxn-test-%llx", (unsigned long long)tag);
      if (mkdir(base, 0755) < 0) base[0] = '\0';
    }
  }
  endmntent(mounts);
  if (options.pid1 && base[0] != '\0') enable_controllers();
}

void cgroups_remove(void) {
  if (base[0] != '\0') cgroup_remove(base);
}

int cgroup_make(char path[CGROUP_PATH_SIZE], int *fd, const char *name, struct error *e) {
  path[0] = '\0';
  *fd = -1;
  if (base[0] == '\0') return 0;
  snprintf(path, CGROUP_PATH_SIZE, "%s/%s", base, name);
  if (mkdir(path, 0755) < 0) return fail(e, errno, "mkdir %s: %s", path, errno_text(errno));
  *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return *fd < 0 ? fail(e, errno, "open %s: %s", path, errno_text(errno)) : 0;
}

void cgroup_remove(const char *path) {
  char below[4096];
  autoclosedir DIR *d = opendir(path);
  for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < sizeof below) cgroup_remove(below);
  }
  rmdir(path);
}

// Calls fn for each process of a cgroup and of those below it. Signalling while reading misses what
// forks meanwhile, as any walk does; SIGKILL goes through cgroup.kill instead.
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

uint32_t cgroup_pids(const char *path) {
  uint32_t n = 0;
  if (path[0] != '\0') each_pid(path, count_pid, &n);
  return n;
}

static void signal_pid(pid_t pid, void *ctx) { kill(pid, *(int *)ctx); }

bool cgroup_signal(const char *path, int signal) {
  char kill_all[CGROUP_PATH_SIZE + 16];
  if (path[0] == '\0') return false;
  snprintf(kill_all, sizeof kill_all, "%s/cgroup.kill", path);
  if (signal != SIGKILL || write_file(kill_all, "1") < 0) each_pid(path, signal_pid, &signal);
  return true;
}
