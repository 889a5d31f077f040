// SPDX-License-Identifier: MIT
// Kernel modules of the initramfs, in stages: a guest loads only those that it comes to need.
#ifndef VXN_AGENT_MODULES_H
#define VXN_AGENT_MODULES_H

/// Keeps hold of /lib/vxn/modules, before the agent leaves the initramfs. Its absence is no error.
void modules_open(void);

/// Loads every module of a folder below /lib/vxn/modules, in order of name. Failures go to the log.
void modules_load(const char *stage);

#endif
