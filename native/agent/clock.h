// SPDX-License-Identifier: MIT
// The clock that every time of the agent is taken from.
#ifndef VXN_AGENT_CLOCK_H
#define VXN_AGENT_CLOCK_H

#include <stdint.h>

/// Nanoseconds since the kernel's boot.
uint64_t boot_ns(void);

#endif
