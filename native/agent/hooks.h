// SPDX-License-Identifier: MIT
// createContainer and startContainer hooks (runtime-spec config.md), run in the child of a
// container's first process. With runc, createContainer hooks see the container's namespaces before
// pivot_root. Here they are put into the root, since everything outside of it is the agent's.
// startContainer hooks run just before the program, as with runc.
#ifndef VXN_AGENT_HOOKS_H
#define VXN_AGENT_HOOKS_H

#include "records.h"

/// Runs the hooks of a stage in order, in the folder that root is open at, or in the current root
/// with -1. Ends at the first that fails. 0, or -1 with *e.
int hooks_run(const struct process_desc *p, enum hook_stage stage, int root, struct error *e);

#endif
