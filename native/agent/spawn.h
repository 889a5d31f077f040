// SPDX-License-Identifier: MIT
// The birth of a process: its pipes, and a child in the namespaces and the cgroup that it belongs
// to.
#ifndef VXN_AGENT_SPAWN_H
#define VXN_AGENT_SPAWN_H

#include <sys/types.h>

#include "child.h"

/// Our side of a child.
struct spawned {
  pid_t pid;
  int stdio[3];   ///< stdin, stdout, stderr; -1 each with a terminal
  int report_fd;  ///< report.h
};

/// To be called once before the first spawn(). 0, or -1 with errno.
int spawn_prepare(void);

/// Starts a child that becomes the process of the plan, of which the descriptors stdio and
/// report_fd are filled in here. cgroup_fd: the cgroup that it is born into, or -1. 0, or -1 with
/// *e.
int spawn(struct spawned *s, struct child_plan *plan, int cgroup_fd, struct error *e);

#endif
