// SPDX-License-Identifier: MIT
#include "destroy.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "../host/background.h"

void destroy_domain(const char *xl, uint32_t domid, int hold_fd, const char *gone_path) {
  char id[16];
  snprintf(id, sizeof id, "%" PRIu32, domid);
  run_in_background((const char *const[]){xl, "destroy", id, NULL}, hold_fd, gone_path);
}
