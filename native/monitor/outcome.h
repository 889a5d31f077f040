// SPDX-License-Identifier: MIT
// How a container ended, kept where the runtime and the operator look for it; and the end of its domain.
#ifndef VXN_OUTCOME_H
#define VXN_OUTCOME_H

#include <stdint.h>

#include "options.h"

/// Opens monitor.log and the gates; the files started, exit and error will be in the container's run folder. 0, or -1 with
/// errno.
int outcome_open(const struct options *o);

/// The domain that is destroyed at the end. Without one nothing is.
void outcome_domain(uint32_t domid);

/// One line for monitor.log.
__attribute__((format(printf, 1, 2))) void outcome_note(const char *format, ...);

/// A file of this content in the container's run folder, whole or not at all.
void outcome_file(const char *name, const char *text);

/// The program runs: `start` may return.
void outcome_started(void);

/// Why the container failed, for `start` and the operator: the guest's errno, or 0 when the guest was lost.
void outcome_error(uint32_t error_number, const char *why);

/// The container's exit status. The domain goes now.
void outcome_exit(int status);

#endif
