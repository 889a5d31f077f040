// SPDX-License-Identifier: MIT
// The duties of a guest's first process beside being the agent.
#ifndef VXN_AGENT_BOOT_H
#define VXN_AGENT_BOOT_H

#include "error.h"
#include "transport.h"

/// Leaves the initramfs for a root that can be exchanged, mounts the kernel's file systems and
/// brings the loopback up. Failures go to the log.
void boot_mounts(void);

/// Offers the vchan to Dom0. NULL with *e on failure.
struct vxn_transport *boot_channel(struct error *e);

/// Kills what still runs, writes disks back and powers the guest off.
_Noreturn void boot_power_off(void);

#endif
