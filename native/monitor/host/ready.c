// SPDX-License-Identifier: MIT
#include "ready.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static bool say(const char *text, const char *reason) {
  const char *parts[4] = {text, reason == NULL ? "" : ": ", reason == NULL ? "" : reason, "\n"};
  struct iovec v[4];
  for (int i = 0; i < 4; i++) v[i] = (struct iovec){(void *)(uintptr_t)parts[i], strlen(parts[i])};
  signal(SIGPIPE, SIG_IGN);
  return writev(READY_FD, v, 4) > 0;
}

bool ready_say(const char *line) { return say(line, NULL); }

void ready_fail(const char *text) {
  say(text, errno == 0 ? NULL : strerror(errno));
  exit(1);
}
