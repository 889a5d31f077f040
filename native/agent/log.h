// SPDX-License-Identifier: MIT
// Lines for the operator.
#ifndef VXN_AGENT_LOG_H
#define VXN_AGENT_LOG_H

/// One line for the operator: in the kernel's log, which the console shows, and to the listener of
/// log_also(). On a host (a test) it goes to stderr instead of the kernel's log.
__attribute__((format(printf, 1, 2))) void agent_log(const char *fmt, ...);

/// From now on fn gets each line as well. NULL ends that.
void log_also(void (*fn)(const char *text));

#endif
