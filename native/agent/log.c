// SPDX-License-Identifier: MIT
#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "options.h"
#include "protocol.h"

#define KMSG_MAX 900

static void (*listener)(const char *text);

void log_also(void (*fn)(const char *text)) { listener = fn; }

void agent_log(const char *fmt, ...) {
  char text[VXN_TEXT_MAX + 1], line[KMSG_MAX];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  // The kernel's log takes a line by one write(2), and puts it on the console in its turn.
  autoclose int kmsg = options.pid1 || options.once != NULL ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC) : -1;
  snprintf(line, sizeof line - 1, "%svxn-agent: %.850s", kmsg >= 0 ? "<3>" : "", text);
  strcat(line, "\n");
  ssize_t n = write(kmsg >= 0 ? kmsg : STDERR_FILENO, line, strlen(line));
  (void)n;
  if (listener != NULL) listener(text);
}
