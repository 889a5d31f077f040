// SPDX-License-Identifier: MIT
// The guest's use of its processors and its memory.
#ifndef VXN_AGENT_STATS_H
#define VXN_AGENT_STATS_H

#include <stdint.h>

/// Answers STATS with the numbers of this moment.
void stats_send(uint32_t id);

#endif
