// SPDX-License-Identifier: MIT
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent.h"

// Lets the controllers that exist work in the cgroups below.
static void enable_controllers(const char *base) {
  char path[256], names[512], *rest = names;
  snprintf(path, sizeof path, "%s/cgroup.controllers", base);
  if (read_file(path, names, sizeof names) < 0) return;
  names[strcspn(names, "\n")] = '\0';
  snprintf(path, sizeof path, "%s/cgroup.subtree_control", base);
  for (char *name; (name = strsep(&rest, " ")) != NULL;) {
    char text[64];
    if (*name != '\0' && (size_t)snprintf(text, sizeof text, "+%s", name) < sizeof text) write_file(path, text);
  }
}

void cgroups_prepare(void) {
  FILE *mounts = setmntent("/proc/self/mounts", "re");
  if (mounts == NULL) return;
  struct mntent *m;
  while ((m = getmntent(mounts)) != NULL && strcmp(m->mnt_type, "cgroup2") != 0) continue;
  if (m != NULL && strlen(m->mnt_dir) < 100) {
    int n = snprintf(agent.cgroup_base, sizeof agent.cgroup_base, "%s", m->mnt_dir);
    // On a host other people's groups are there, and another test's.
    if (!agent.pid1) {
      snprintf(agent.cgroup_base + n, sizeof agent.cgroup_base - (size_t)n, "/vxn-test-%llx",
               (unsigned long long)agent.began_ns);
      if (mkdir(agent.cgroup_base, 0755) < 0) agent.cgroup_base[0] = '\0';
    }
  }
  endmntent(mounts);
  if (agent.pid1 && agent.cgroup_base[0] != '\0') enable_controllers(agent.cgroup_base);
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
