// SPDX-License-Identifier: MIT
#include "monitor_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "record.h"

#define MONITOR_LOG_BYTES (64u << 10)

static struct record record = {.fd = -1};

void monitor_log_open(const char *dir) { record_open(&record, dir, "monitor.log", MONITOR_LOG_BYTES); }

void monitor_log(const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  int n = vsnprintf(text, sizeof text - 1, format, ap);
  va_end(ap);
  if (n < 0) return;
  if ((size_t)n > sizeof text - 2) n = sizeof text - 2;
  text[n] = '\n';
  record_append(&record, NULL, 0, text, (size_t)n + 1);
}
