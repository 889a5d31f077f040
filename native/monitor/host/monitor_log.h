// SPDX-License-Identifier: MIT
// monitor.log: why a domain or a container failed, for the operator.
#ifndef VXN_MONITOR_LOG_H
#define VXN_MONITOR_LOG_H

/// Begins dir/monitor.log. Without it notes are dropped.
void monitor_log_open(const char *dir);

/// Adds one line.
__attribute__((format(printf, 1, 2))) void monitor_log(const char *format, ...);

#endif
