// SPDX-License-Identifier: MIT
// The first process's view of the file system, made in its child: in a mount namespace of its own,
// before the root is changed.
#ifndef VXN_AGENT_ROOTFS_H
#define VXN_AGENT_ROOTFS_H

#include "records.h"
#include "terminal.h"

/// Builds the container's mounts and makes its root the current root. dir holds root/ and bind/ of
/// the container. *t is opened when the process wants a terminal. 0, or -1 with *e.
int rootfs_enter(const char *dir, const struct container_desc *c, const struct process_desc *p, struct terminal *t,
                 struct error *e);

#endif
