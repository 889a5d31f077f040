// SPDX-License-Identifier: MIT
// Processors that Xen gives the guest while it runs: the kernel registers them and leaves it to
// user space to use them.
#ifndef VXN_AGENT_HOTPLUG_H
#define VXN_AGENT_HOTPLUG_H

/// Puts processors to use that the guest gets from now on. Failures go to the log.
void hotplug_watch(void);

/// Does as a message of the kernel's ("add@/devices/system/cpu/cpu1") asks.
void hotplug_event(const char *text);

/// Messages were lost: puts every processor to use that there is.
void hotplug_lost(void);

#endif
