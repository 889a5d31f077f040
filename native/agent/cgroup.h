// SPDX-License-Identifier: MIT
// Containers' cgroups (version 2). Without a cgroup2 mount there are none, and paths of cgroups are
// empty.
#ifndef VXN_AGENT_CGROUP_H
#define VXN_AGENT_CGROUP_H

#include <stdint.h>

#include "error.h"

enum { CGROUP_PATH_SIZE = 224 };

/// Finds cgroup2 and prepares the folder that containers' cgroups go to. On a host, where other
/// people's cgroups are, it is a folder of our own; tag sets it apart from another test's.
void cgroups_prepare(uint64_t tag);
/// On a host: removes that folder with all that is left in it.
void cgroups_remove(void);

/// Makes a container's cgroup, and fills in its path and descriptor (without cgroup2: an empty path
/// and -1). 0, or -1 with *e.
int cgroup_make(char path[CGROUP_PATH_SIZE], int *fd, const char *name, struct error *e);
/// Removes a cgroup and those below it.
void cgroup_remove(const char *path);

/// How many processes there are in a cgroup and below it.
uint32_t cgroup_pids(const char *path);
/// Sends a signal to each of them. False when the path is empty.
bool cgroup_signal(const char *path, int signal);

#endif
