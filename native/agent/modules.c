// SPDX-License-Identifier: MIT
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "error.h"
#include "log.h"

#define MODULES "/lib/vxn/modules"
#define MODULE_COMPRESSED 4  // MODULE_INIT_COMPRESSED_FILE

static int modules_fd = -1;

void modules_open(void) {
  // Without /dev/console in the initramfs the standard descriptors are free: keep off them.
  autoclose int fd = open(MODULES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) modules_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool ends_with(const char *s, const char *end) {
  size_t a = strlen(s), b = strlen(end);
  return a >= b && strcmp(s + a - b, end) == 0;
}

static void load(int dir, const char *name) {
  bool compressed = ends_with(name, ".ko.xz") || ends_with(name, ".ko.zst") || ends_with(name, ".ko.gz");
  if (!compressed && !ends_with(name, ".ko")) return;
  autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || (syscall(SYS_finit_module, fd, "", compressed ? MODULE_COMPRESSED : 0) < 0 && errno != EEXIST))
    agent_log("loading %s: %s", name, errno_text(errno));
}

void modules_load(const char *stage) {
  struct dirent **list;
  if (modules_fd < 0) return;
  autoclose int dir = openat(modules_fd, stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int n = dir < 0 ? 0 : scandirat(dir, ".", &list, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    load(dir, list[i]->d_name);
    free(list[i]);
  }
  if (n > 0) free(list);
}
