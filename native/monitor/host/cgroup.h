// SPDX-License-Identifier: MIT
#ifndef VXN_CGROUP_H
#define VXN_CGROUP_H

/// Moves this process into a cgroup, of v1 or v2, by its directory. -1 with errno.
int cgroup_join(const char *dir);

#endif
