// SPDX-License-Identifier: MIT
// The program of a process, found as runc finds it, and its environment.
#ifndef VXN_AGENT_PROGRAM_H
#define VXN_AGENT_PROGRAM_H

#include "records.h"

/// Finds argv[0]: a name with a slash as it is, another along the process's own PATH. path:
/// PATH_MAX bytes. 0, or -1 with *e in runc's words.
int program_find(const struct process_desc *p, char *path, struct error *e);

/// The process's variables, with HOME of the container's /etc/passwd if it brings none. The list is
/// the child's own copy. 0, or -1 with *e.
int program_environment(const struct process_desc *p, char ***env, struct error *e);

#endif
