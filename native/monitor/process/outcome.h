// SPDX-License-Identifier: MIT
// How a container's first process fares, in files of the container's run folder, where the runtime
// looks for it: start.gate, started, error, exit.
#ifndef VXN_OUTCOME_H
#define VXN_OUTCOME_H

#include <stdint.h>

/// Makes start.gate in the run folder dir and holds it. 0, or -1 with errno.
int outcome_open(const char *dir);

/// The program runs: `start` may return.
void outcome_started(void);

/// Why the container failed, for `start`. error_number: the guest's errno, or 0 when the guest
/// was lost.
void outcome_error(uint32_t error_number, const char *why);

/// The exit status.
void outcome_exit(int status);

#endif
