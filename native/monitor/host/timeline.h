// SPDX-License-Identifier: MIT
// The time line: when each phase of a container's life began, one line a phase.
#ifndef VXN_TIMELINE_H
#define VXN_TIMELINE_H

#include <stdint.h>

/// Opens dir/timeline. Every later stamp goes there; without it stamps are dropped.
void timeline_open(const char *dir);

/// Stamps the phase with the time since boot plus offset_ns.
void timeline_stamp(const char *phase, int64_t offset_ns);

#endif
