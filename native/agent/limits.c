// SPDX-License-Identifier: MIT
#include "limits.h"

#include <sys/resource.h>

static struct rlimit nofile;

void limits_raise(void) {
  // systemd's defaults: programs written for select(2) are safe, servers may raise it.
  nofile = (struct rlimit){1024, 524288};
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){524288, 524288});
}

int limits_keep(void) { return getrlimit(RLIMIT_NOFILE, &nofile); }

void limits_for_process(void) { setrlimit(RLIMIT_NOFILE, &nofile); }
